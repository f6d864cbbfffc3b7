package stack_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// An execution is what an execution of the state machine did.
type execution struct {
	calls    []string // of the function, each as JSON, sorted but for the last one
	entered  int      // states, but for those of children
	children int
}

// executed has the emulator's interpreter execute the state machine of a hub.
func executed(t *testing.T, a app, given map[string]any) (did execution) {
	t.Helper()
	_, machine := a["relight"].only(t, "AWS::StepFunctions::StateMachine")
	bucket, _ := a["relight"].only(t, "AWS::S3::Bucket")
	fn, _ := a["relight"].function(t, "relight-backfill")
	given["definition"] = json.RawMessage(strings.NewReplacer(
		"${AWS::AccountId}", "111122223333", "${AWS::Partition}", "aws", ref(bucket), "results", arn(fn), "arn:aws:lambda:"+home+":111122223333:function:relight-backfill",
	).Replace(text(machine.Properties["DefinitionString"])))
	for key, standard := range map[string]any{"fails": []string{}, "slow": []string{}, "denied": false, "unread": "", "accounts": []any{}} {
		if given[key] == nil {
			given[key] = standard
		}
	}
	raw, err := json.Marshal(given)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), filepath.Join("..", "..", ".venv", "bin", "python"), filepath.Join("testdata", "execute.py"), filepath.Join("..", "..", "internal", "lab", "launcher"))
	cmd.Stdin = bytes.NewReader(raw)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v (make test installs the emulator): %s", err, out)
	}
	var got struct {
		Status, Error, Cause string
		Calls                []json.RawMessage
		Entered, Children    int
	}
	lines := bytes.Split(bytes.TrimSpace(out), []byte("\n"))
	if err := json.Unmarshal(lines[len(lines)-1], &got); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if got.Status != "SUCCEEDED" {
		t.Errorf("the execution is %s: %s %s", got.Status, got.Error, got.Cause)
	}
	for _, c := range got.Calls {
		var sorted any
		if err := json.Unmarshal(c, &sorted); err != nil {
			t.Fatal(err)
		}
		if gathers, is := at(sorted, "gather").(map[string]any); is && gathers["key"] != nil {
			gathers["key"] = "manifest"
		}
		line, err := json.Marshal(sorted)
		if err != nil {
			t.Fatal(err)
		}
		did.calls = append(did.calls, string(line))
	}
	if calls := did.calls; len(calls) > 0 {
		slices.Sort(calls[:len(calls)-1])
	}
	did.entered, did.children = got.Entered, got.Children
	return did
}

// An execution sweeps the hub, and every active account of the organisation in rounds until
// nothing is left; one that fails does not stop the others. What only people may ask of the
// function does not reach it.
func TestMachineSweeps(t *testing.T) {
	const first, second, third, gone = "222233334444", "444455556666", "777788889999", "555566667777"
	accounts := []any{}
	for _, id := range []string{"111122223333", first, second, third} {
		accounts = append(accounts, map[string]string{"Id": id, "State": "ACTIVE"})
	}
	accounts = append(accounts, map[string]string{"Id": gone, "State": "SUSPENDED"})
	input := func(more map[string]any) map[string]any {
		in := map[string]any{"mode": "repair", "accept": map[string]any{"adopt": map[string]any{}}}
		for k, v := range more {
			in[k] = v
		}
		return in
	}
	const (
		hubItself = `{"account":"111122223333","mode":"repair","short":true}`
		last      = `{"gather":{"before":%s,"hub":"%s","last":true,"listed":%t%s,"request":{"mode":"repair"}}}`
		own       = `,"own":{"account":"111122223333"}`
		one       = `{"gather":{"before":{"cells":[]},"bucket":"results","cells":[%s],"key":"manifest"}}`
		nothing   = `{"cells":[]}`
	)
	cell := func(account, more string) string {
		return `{"account":"` + account + `","mode":"repair",` + more + `"seconds":240,"short":true}`
	}
	item := func(accounts ...string) string {
		for i := range accounts {
			accounts[i] = `{"account":"` + accounts[i] + `"}`
		}
		return strings.Join(accounts, ",")
	}
	const units = `"parents":["ou-a1b2-c3d4e5f6","r-a1b2"],`
	for name, tt := range map[string]struct {
		app   app
		given map[string]any
		want  []string // the last one comes last
	}{
		"all, one fails and one is slow": {hub(), map[string]any{"accounts": accounts, "fails": []string{third}, "slow": []string{second}, "input": input(nil)}, []string{
			hubItself, cell(first, ""), cell(second, ""), cell(third, ""), cell(second, `"rest":["flowlogs/eu-west-1"],`),
			strings.Replace(fmt.Sprintf(one, item(first, second, third)), `"before":{"cells":[]}`, `"before":{"cells":[],"suspended":1}`, 1),
			`{"gather":{"before":{"cells":[{"account":"` + second + `","rest":["flowlogs/eu-west-1"]}],"suspended":1,"unswept":[{"account":"` + third + `","error":"Lambda.Unknown"}]},"bucket":"results","cells":[{"account":"` + second + `","rest":["flowlogs/eu-west-1"]}],"key":"manifest"}}`,
			fmt.Sprintf(last, `{"cells":[],"suspended":1,"unswept":[{"account":"`+third+`","error":"Lambda.Unknown"}]}`, "", false, own),
		}},
		"the hub fails": {hub(), map[string]any{"accounts": accounts[:2], "fails": []string{"111122223333"}, "input": input(nil)}, []string{
			hubItself, cell(first, ""), fmt.Sprintf(one, item(first)), fmt.Sprintf(last, nothing, "Lambda.Unknown: it failed", false, ""),
		}},
		"no account but the hub": {hub(), map[string]any{"accounts": accounts[:1], "input": input(nil)}, []string{hubItself, fmt.Sprintf(last, nothing, "", false, own)}},
		"the listing is denied": {hub(), map[string]any{"denied": true, "input": input(nil)}, []string{
			hubItself, fmt.Sprintf(last, `{"cells":[],"failed":"Organizations.AccessDeniedException: it is denied","unswept":[]}`, "", false, own),
		}},
		"listed": {hubOfListed(), map[string]any{"denied": true, "input": input(nil)}, []string{
			hubItself, cell(first, ""), cell(second, ""), fmt.Sprintf(one, item(first, second)), fmt.Sprintf(last, nothing, "", false, own),
		}},
		"units": {hubOfUnits(), map[string]any{"accounts": accounts[:3], "input": input(nil)}, []string{
			hubItself, cell(first, units), cell(second, units), fmt.Sprintf(one, item(first, second)), fmt.Sprintf(last, nothing, "", false, own),
		}},
		"no input": {hubOfListed(), map[string]any{"input": map[string]any{}}, []string{
			`{"account":"111122223333","short":true}`, `{"account":"222233334444","seconds":240,"short":true}`, `{"account":"444455556666","seconds":240,"short":true}`,
			fmt.Sprintf(one, item(first, second)), strings.Replace(fmt.Sprintf(last, nothing, "", false, own), `"mode":"repair"`, "", 1),
		}},
		"the input names one": {hub(), map[string]any{"denied": true, "input": input(map[string]any{"accounts": []string{first}})}, []string{
			cell(first, ""), fmt.Sprintf(one, item(first)), fmt.Sprintf(last, nothing, "", true, ""),
		}},
		"the input names none": {hub(), map[string]any{"denied": true, "input": input(map[string]any{"accounts": []string{}})}, []string{
			fmt.Sprintf(last, nothing, "", true, ""),
		}},
		"the input names one without a list": {hub(), map[string]any{"denied": true, "input": input(map[string]any{"accounts": first})}, []string{
			cell(first, ""), fmt.Sprintf(one, item(first)), fmt.Sprintf(last, nothing, "", true, ""),
		}},
		"the input names one twice, and a number": {hub(), map[string]any{"denied": true, "input": input(map[string]any{"accounts": []any{first, 444455556666, first}})}, []string{
			cell(first, ""), cell(second, ""), fmt.Sprintf(one, item(first, second)), fmt.Sprintf(last, nothing, "", true, ""),
		}},
	} {
		t.Run(name, func(t *testing.T) {
			slices.Sort(tt.want[:len(tt.want)-1])
			if diff := cmp.Diff(tt.want, executed(t, tt.app, tt.given).calls); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Why nothing of a map could be read is passed on for every account of it, so it must not be long:
// no state may pass on more than 256 KiB.
func TestMachineFailsShortly(t *testing.T) {
	var accounts []string
	for i := range 1000 {
		accounts = append(accounts, fmt.Sprintf("%012d", 100000000000+i))
	}
	calls := executed(t, hub(), map[string]any{"unread": strings.Repeat("because of this ", 100), "input": map[string]any{"accounts": accounts}}).calls
	last := calls[len(calls)-1]
	var got struct {
		Gather struct {
			Before struct {
				Failed  string
				Unswept []struct{ Account, Error string }
			}
		}
	}
	if err := json.Unmarshal([]byte(last), &got); err != nil {
		t.Fatal(err)
	}
	if sum := got.Gather.Before; len(sum.Unswept) != len(accounts) || !strings.HasPrefix(sum.Unswept[0].Error, "Lambda.Unknown: because") || !strings.HasPrefix(sum.Failed, "Lambda.Unknown: because") || len(last) > 256<<10 {
		t.Errorf("%d bytes about %d accounts, want at most 256 KiB and all %d: %.500s", len(last), len(sum.Unswept), len(accounts), last)
	}
}

// What an execution costs: docs/figures.md makes dollars of it. The start of each child counts as
// a transition of the execution, which AWS does not say: the most that it may be.
func TestMachineFigures(t *testing.T) {
	var accounts []any
	var did []execution
	for _, id := range []string{"111122223333", "222233334444", "444455556666", "777788889999"} {
		if accounts = append(accounts, map[string]string{"Id": id, "State": "ACTIVE"}); len(accounts) > 1 { // two to a page
			did = append(did, executed(t, hub(), map[string]any{"accounts": accounts, "input": map[string]any{}}))
		}
	}
	transitions := func(i int) int { return did[i].entered + did[i].children }
	invocations := func(i int) int { return len(did[i].calls) }
	account, called := transitions(2)-transitions(1), invocations(2)-invocations(1)
	page := transitions(1) - transitions(0) - account
	if invocations(1)-invocations(0) != called {
		t.Errorf("%d, %d and %d invocations, want the same more for each account", invocations(0), invocations(1), invocations(2))
	}
	got := fmt.Sprintf("machine/account/invocations %d calls\nmachine/account/transitions %d transitions\nmachine/execution/invocations %d calls\nmachine/execution/transitions %d transitions\nmachine/page/transitions %d transitions\n",
		called, account, invocations(0)-called, transitions(0)-account-page, page)
	golden(t, filepath.Join("..", "..", "docs", "figures", "machine.txt"), got)
}
