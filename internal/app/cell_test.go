package app_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/google/go-cmp/cmp"

	"github.com/relight-aws/relight/internal/app"
	"github.com/relight-aws/relight/internal/awstest"
	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/report"
)

// manyRegions are the regions of an account that is large.
var manyRegions = []string{home, second, "eu-west-2", "eu-west-3", "eu-north-1", "ap-southeast-1", "us-east-2", "us-west-1", "us-west-2", "ca-central-1", "sa-east-1", "ap-south-1", "ap-northeast-1", "ap-southeast-2", "ap-northeast-2", "ap-northeast-3", "eu-central-1", "eu-central-2", "eu-south-1", "eu-south-2", "il-central-1", "me-central-1", "ap-east-1"}

// A cellOutcome is what the sweep of a cell left behind.
type cellOutcome struct {
	Checked  map[string]int // by scope: how often
	FlowLogs map[string]int // by region and role that delivers
	Adopted  string         // what the hub remembers of the account
	Repaired int
}

// sweepInParts sweeps a guarded account that has VPCs in every region, in some of them with
// flow logs of others, with so many seconds for each part, until nothing is left. Each call to
// AWS takes some time.
func sweepInParts(t *testing.T, theirs []string, latency time.Duration, seconds func() int) (got cellOutcome, parts int) {
	t.Helper()
	w, guarded, _ := hub(t, listed)
	w.timed()
	guarded.Now = w.time
	guarded.RemoveRole(spokeRole)
	w.makeRole(guarded, "Role") // new, so the sweep is the first one
	by := "arn:aws:iam::" + other + ":role/theirs"
	guarded.AddRole(by, 0)
	for i, region := range manyRegions {
		id := memberVPC
		if region != home {
			id = fmt.Sprintf("vpc-0a1b2c3d4e5f7%04d", i)
			if region != second {
				guarded.AddRegion(region, "opt-in-not-required")
			}
			guarded.AddVPC(region, id)
		}
		if !slices.Contains(theirs, region) {
			continue
		}
		in := guarded.In(region)
		must(in.Logs.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String("theirs")}))
		must(in.Logs.PutRetentionPolicy(t.Context(), &cloudwatchlogs.PutRetentionPolicyInput{LogGroupName: aws.String("theirs"), RetentionInDays: aws.Int32(365)}))
		must(in.EC2.CreateFlowLogs(t.Context(), &ec2.CreateFlowLogsInput{
			ResourceIds: []string{id}, ResourceType: ec2types.FlowLogsResourceTypeVpc, TrafficType: ec2types.TrafficTypeAll,
			LogGroupName: aws.String("theirs"), DeliverLogsPermissionArn: aws.String(by),
		}))
	}
	guarded.Latency = latency
	got.Checked, got.FlowLogs = map[string]int{}, map[string]int{}
	a := w.app(catalog.Backfill)
	req := app.Request{Account: other}
	for {
		req.Seconds = seconds()
		before := time.Now()
		s, err := a.Sweep(t.Context(), req, nil)
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(before); req.Seconds > 0 && took > time.Duration(req.Seconds)*time.Second {
			t.Errorf("a part of %d seconds took %s", req.Seconds, took)
		}
		got.Repaired += s.Repaired
		for _, r := range s.Reports {
			if got.Checked[r.Scope]++; r.Error != "" {
				t.Errorf("%s: %s", r.Scope, r.Error)
			}
		}
		if parts++; parts > 2*len(manyRegions) {
			t.Fatalf("part %d still leaves %v", parts, s.Rest)
		}
		if req.Rest = s.Rest; len(s.Rest) == 0 {
			break
		}
	}
	guarded.Latency = 0
	for _, region := range manyRegions {
		for _, fl := range must(guarded.In(region).EC2.DescribeFlowLogs(t.Context(), &ec2.DescribeFlowLogsInput{})).FlowLogs {
			got.FlowLogs[region+" "+aws.ToString(fl.DeliverLogsPermissionArn)]++
		}
	}
	want := w.config.Baseline()
	want.Member = other
	note := must(w.SSM.GetParameter(t.Context(), &ssm.GetParameterInput{Name: aws.String(want.AdoptedMemory())}))
	got.Adopted = aws.ToString(note.Parameter.Value)
	return got, parts
}

// However a cell is cut, its parts together check what one sweep checks, each once, restore
// the same, and adopt the same of what others made.
func TestPartsAreTheWhole(t *testing.T) {
	t.Parallel()
	most := 0
	for seed := range 12 {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(uint64(seed), 7))
			var theirs []string
			for _, region := range manyRegions {
				if r.IntN(3) == 0 {
					theirs = append(theirs, region)
				}
			}
			latency := time.Duration(1+r.IntN(8)) * time.Second
			var whole, cut cellOutcome
			var parts int
			synctest.Test(t, func(t *testing.T) {
				whole, _ = sweepInParts(t, theirs, latency, func() int { return 0 })
			})
			synctest.Test(t, func(t *testing.T) {
				cut, parts = sweepInParts(t, theirs, latency, func() int { return 203 + (4+r.IntN(5))*int(latency/time.Second) })
			})
			if diff := cmp.Diff(whole, cut); diff != "" {
				t.Errorf("%d parts, each call takes %s, others have flow logs in %v (-whole +parts):\n%s", parts, latency, theirs, diff)
			}
			if slices.Contains(slices.Collect(maps.Values(whole.Checked)), 2) || len(whole.Checked) < len(manyRegions) || whole.Repaired == 0 {
				t.Errorf("the whole: %+v", whole)
			}
			most = max(most, parts)
		})
	}
	if most < 3 {
		t.Errorf("no sweep had more than %d parts", most)
	}
}

// A cell without time for anything fails: it must not come again for ever.
func TestPartWithoutProgress(t *testing.T) {
	t.Parallel()
	w, _, _ := hub(t, listed)
	_, err := w.app(catalog.Backfill).HandleBackfill(t.Context(), json.RawMessage(`{"account":"`+other+`","short":true,"seconds":60}`))
	if err == nil || !strings.Contains(err.Error(), "had no time for anything") {
		t.Errorf("%v, want that there was no time", err)
	}
}

// The short answer about an account has no reports. About one that is not guarded, by its list
// or by what is above it, it says so and calls nothing.
func TestCell(t *testing.T) {
	t.Parallel()
	const unit, further = "ou-a1b2-c3d4e5f6", "ou-a1b2-22222222"
	for request, tt := range map[string]struct{ keys, outside string }{
		`{"account":"` + other + `","short":true}`:                                                   {listed, ""},
		`{"account":"555566667777","short":true}`:                                                    {listed, "is not guarded, as organization says"},
		`{"account":"` + other + `","short":true,"parents":["` + unit + `","r-a1b2"]}`:               {`"ous":["` + unit + `"]`, ""},
		`{"account":"` + other + `","short":true,"parents":["` + further + `","r-a1b2"]}`:            {`"ous":["` + unit + `"]`, "of the units above it"},
		`{"account":"` + other + `","short":true,"parents":["` + unit + `","r-a1b2"],"mode":"plan"}`: {`"excludeOus":["` + unit + `"]`, "of the units above it"},
	} {
		w, guarded, _ := hub(t, tt.keys)
		before := guarded.Calls()
		got := must(w.app(catalog.Backfill).HandleBackfill(t.Context(), json.RawMessage(request))).(app.Swept)
		if calls := guarded.Calls().Since(before); (tt.outside == "") != (len(calls) > 0) || !strings.Contains(got.Outside, tt.outside) || tt.outside == "" && (got.Outside != "" || got.Repaired == 0) {
			t.Errorf("%s: %+v with the calls %v, want outside %q", request, got, calls, tt.outside)
		}
	}
	for _, bad := range []string{
		`{"short":true}`, `{"account":"` + other + `","seconds":901}`, `{"account":"` + other + `","rest":["flowlogs"]}`,
		`{"account":"` + other + `","rest":["lights/eu-west-1"]}`, `{"account":"` + other + `","parents":["security"]}`,
	} {
		if _, err := app.ParseRequest([]byte(bad)); err == nil {
			t.Errorf("%s is a request", bad)
		}
	}
}

// An account about which organisational units decide: its events count once a sweep has found it in one
// that is guarded, and until a sweep finds it elsewhere. What anybody but the sweep says about it does not count.
// If that cannot be read, the message comes again. The sweep that writes it again names who else wrote it.
func TestEventsByUnits(t *testing.T) {
	t.Parallel()
	const unit, further = "ou-a1b2-c3d4e5f6", "ou-a1b2-22222222"
	w, guarded, _ := hub(t, `"ous":["`+unit+`"]`)
	memory := "/relight/memory/" + other + "/units"
	flowlogs := w.app(catalog.Function(catalog.FlowLogs))
	handled := func() (calls, again int) {
		t.Helper()
		w.now = w.now.Add(2 * time.Minute)
		before := guarded.Calls()
		w.deleteFlowLogsOf(guarded)
		deleted := guarded.Calls().Since(before).Total()
		res := must(flowlogs.HandleEvent(t.Context(), batch(from(other, "DeleteFlowLogs.one.json")))).(events.SQSEventResponse)
		return guarded.Calls().Since(before).Total() - deleted, len(res.BatchItemFailures)
	}
	sweep := func(of, mode string) app.Swept {
		t.Helper()
		return must(w.app(catalog.Backfill).HandleBackfill(t.Context(), json.RawMessage(`{"account":"`+other+`","short":true,"parents":["`+of+`","r-a1b2"],"mode":"`+mode+`"}`))).(app.Swept)
	}
	for i, step := range []struct {
		what    string
		do      func()
		handles bool
	}{
		{"before a sweep", func() {}, false},
		{"somebody says that it is guarded", func() { w.putAs("arn:aws:iam::"+account+":user/Mallory", memory, "guarded") }, false},
		{"a plan finds it guarded", func() { sweep(unit, "plan") }, false},
		{"a sweep finds it guarded", func() { sweep(unit, "repair") }, true},
		{"somebody says that it is outside", func() { w.putAs("arn:aws:iam::"+account+":user/Mallory", memory, "outside") }, true},
		{"a sweep finds it elsewhere", func() { sweep(further, "repair") }, false},
		{"and back", func() { sweep(unit, "repair") }, true},
	} {
		step.do()
		if calls, again := handled(); (calls > 0) != step.handles || again > 0 {
			t.Errorf("%d %s: %d calls in the account, %d messages again, want calls %t\n%s", i, step.what, calls, again, step.handles, w.log.String())
		}
		w.log = lockedBuffer{}
	}
	for _, of := range []string{unit, further} {
		w.putAs("arn:aws:iam::"+account+":user/Mallory", memory, "else")
		told := len(w.Messages())
		sweep(of, "repair")
		if said := w.told(told); !strings.Contains(said, "user/Mallory") || !strings.Contains(said, memory) {
			t.Errorf("no message says who wrote it:\n%s", said)
		}
		told = len(w.Messages())
		if sweep(of, "repair"); len(w.Messages()) > told {
			t.Errorf("told again:\n%s", w.told(told))
		}
	}
	w.Fail("GetParameterHistory", slices.Repeat([]string{"InternalServerError"}, 9)...)
	if calls, again := handled(); calls > 0 || again != 1 {
		t.Errorf("it cannot be read: %d calls in the account, %d messages again, want none and the message", calls, again)
	}
}

// The first sweep that gets into an account is the first one, although earlier ones have
// reported that it does not let the hub in, as before it gets its stack.
func TestFirstAfterClosed(t *testing.T) {
	t.Parallel()
	w, guarded, _ := hub(t, listed)
	a := w.app(catalog.Backfill)
	cell := func() app.Swept {
		return must(a.HandleBackfill(t.Context(), json.RawMessage(`{"account":"`+other+`","short":true}`))).(app.Swept)
	}
	guarded.RemoveRole(spokeRole)
	if got := cell(); !strings.Contains(got.Why, "account-closed") {
		t.Errorf("without its role: %+v", got)
	}
	w.makeRole(guarded, "Role")
	got := cell()
	for _, r := range got.Reports {
		for _, f := range r.Findings {
			if f.Code == "memory-missing" {
				t.Errorf("with its role: %+v", f)
			}
		}
	}
	if got.Repaired == 0 {
		t.Errorf("with its role: %+v", got)
	}
}

// AWS knows no session of a role that is gone. The account is then one that lets the hub not in.
func TestClosedLater(t *testing.T) {
	t.Parallel()
	w, guarded, _ := hub(t, listed)
	a := w.app(catalog.Backfill)
	cell := func() app.Swept {
		return must(a.HandleBackfill(t.Context(), json.RawMessage(`{"account":"`+other+`","short":true}`))).(app.Swept)
	}
	cell()
	guarded.Fail("DescribeRegions", "AuthFailure")
	if got := cell(); strings.Contains(got.Why, "account-closed") || got.Healthy == 0 {
		t.Errorf("with its role, and a session that AWS knows no more: %+v", got)
	}
	guarded.RemoveRole(spokeRole)
	guarded.Fail("DescribeRegions", "AuthFailure")
	if got := cell(); !strings.Contains(got.Why, "account-closed") {
		t.Errorf("without its role: %+v", got)
	}
}

// A person enters an account by a role of their own, whose trust policy need not admit tags. That
// they may not is an error, and no finding about the account.
func TestEnters(t *testing.T) {
	t.Parallel()
	w, guarded, _ := hub(t, listed)
	must(guarded.IAM.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String("theirs"), AssumeRolePolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + account + `:root"},"Action":"sts:AssumeRole"}]}`)}))
	o := w.options(home, catalog.Backfill)
	o.Enters = "theirs"
	got, err := app.NewWith(o).SweepCell(t.Context(), app.Request{Account: other, Short: true})
	if err != nil || got.Repaired == 0 || got.Unrestored > 0 {
		t.Errorf("%+v, %v", got, err)
	}
	sessions := w.org.Sessions()
	if len(sessions) == 0 {
		t.Error("no session was opened")
	}
	for _, s := range sessions {
		if s.Role != "arn:aws:iam::"+other+":role/theirs" || len(s.Tags) > 0 {
			t.Errorf("%+v", s)
		}
	}
	told := len(w.Messages())
	o.Enters = "nobody"
	if got, err := app.NewWith(o).SweepCell(t.Context(), app.Request{Account: other, Short: true}); err == nil || !strings.Contains(err.Error(), "sts.AssumeRole") || len(w.Messages()) > told {
		t.Errorf("by a role that is not there: %+v, %v, %s", got, err, w.told(told))
	}
}

// The short answer has the reports of what is not healthy, as far as they fit, and says how many
// do not.
func TestCellDetails(t *testing.T) {
	t.Parallel()
	w, guarded, _ := hub(t, listed)
	for i := range 300 {
		guarded.AddVPC(second, fmt.Sprintf("vpc-0a1b2c3d4e5f7%04d", i))
	}
	cell := func(mode string) app.Swept {
		return must(w.app(catalog.Backfill).HandleBackfill(t.Context(), json.RawMessage(`{"account":"`+other+`","short":true,"mode":"`+mode+`"}`))).(app.Swept)
	}
	got := cell("plan")
	if raw := must(json.Marshal(got)); len(raw) > 20<<10 || got.More != 1 || len(got.Reports) == 0 || got.Planned < 300 || got.Time == nil {
		t.Errorf("a plan: %d bytes, %d more, %d planned, at %v: %+v", len(raw), got.More, got.Planned, got.Time, got.Reports)
	}
	for _, v := range got.Reports {
		if v.Error == "" && len(v.Actions)+len(v.Findings) == 0 {
			t.Errorf("%s is healthy", v.Scope)
		}
	}
	cell("repair")
	guarded.RemoveRole(spokeRole)
	if got := cell("repair"); len(got.Reports) != 1 || !strings.Contains(got.Reports[0].Error, "sts.AssumeRole") || !strings.Contains(got.Why, "[account-closed] account "+other) {
		t.Errorf("of an account that lets the hub not in: %+v", got)
	}
}

// What is summed up of 1,000 accounts passes from one state to the next.
func TestSumFits(t *testing.T) {
	t.Parallel()
	const most = 256 << 10
	w, _, _ := hub(t, "")
	long := strings.Repeat("because of this ", 100)
	var children, cells []any
	for i := range 1000 {
		id := fmt.Sprintf("%012d", 100000000000+i)
		out := map[string]any{"account": id, "time": "2026-03-03T12:00:00Z", "healthy": 100, "repaired": 1000, "planned": 1000, "unrestored": 100, "findings": 100, "wires": 10, "waited_seconds": 100, "why": long, "reports": []any{map[string]string{"error": long}}}
		if i%2 == 0 {
			out["error"] = long
		}
		cells = append(cells, map[string]string{"account": id})
		children = append(children, child(id, map[string]string{"Output": string(must(json.Marshal(out)))}))
	}
	w.results(map[string]string{"m": `{"ResultFiles":{"SUCCEEDED":[{"Key":"s"}]}}`, "s": string(must(json.Marshal(children)))})
	sum := must(w.app(catalog.Backfill).HandleBackfill(t.Context(), must(json.Marshal(map[string]any{"gather": map[string]any{"bucket": "results", "key": "m", "cells": cells}})))).(app.Gathered)
	own := 17 << 10 // with its reports, as TestCellDetails has it
	if raw := must(json.Marshal([]any{sum, cells})); len(sum.Swept) != 1000 || len(raw)+own > most {
		t.Errorf("%d accounts have %d bytes with their cells, want at most %d", len(sum.Swept), len(raw), most)
	}
}

// results has the hub find results of cells in a bucket, by key.
func (w *world) results(files map[string]string) {
	awstest.Handle(w.Account, func(_ context.Context, in *s3.GetObjectInput) (*s3.GetObjectOutput, error) {
		body, ok := files[aws.ToString(in.Key)]
		if !ok || aws.ToString(in.Bucket) != "results" || aws.ToString(in.ExpectedBucketOwner) != account {
			return nil, errors.New("NoSuchKey")
		}
		return &s3.GetObjectOutput{Body: io.NopCloser(strings.NewReader(body))}, nil
	})
}

// child is a result of a cell as Step Functions writes it.
func child(account string, more map[string]string) map[string]string {
	of := map[string]string{"Name": "x", "Input": `{"request":{"mode":"repair"},"cell":{"account":"` + account + `"}}`, "Status": "SUCCEEDED"}
	maps.Copy(of, more)
	return of
}

// What cells came to is added up over rounds. Accounts that could not be swept are named in one
// message, once, and so is one without a result; what is left is what to sweep next.
func TestSum(t *testing.T) {
	t.Parallel()
	const fourth, fifth, sixth = "888899990000", "999900001111", "101010101010"
	w, _, _ := hub(t, "")
	text := func(v any) string { return string(must(json.Marshal(v))) }
	w.results(map[string]string{
		"sweeps/1/manifest.json": `{"DestinationBucket":"results","MapRunArn":"x","ResultFiles":{"FAILED":[{"Key":"sweeps/1/FAILED_0.json","Size":1}],"PENDING":[],"SUCCEEDED":[{"Key":"sweeps/1/SUCCEEDED_0.json","Size":1},{"Key":"sweeps/1/SUCCEEDED_1.json","Size":1}]}}`,
		"sweeps/1/SUCCEEDED_0.json": text([]any{
			child(other, map[string]string{"Output": `{"account":"` + other + `","healthy":3,"repaired":2,"planned":2}`}),
			child(third, map[string]string{"Output": `{"account":"` + third + `","healthy":1,"rest":["flowlogs/eu-west-1"]}`}),
		}),
		"sweeps/1/SUCCEEDED_1.json": text([]any{child(sixth, map[string]string{"Output": `{"account":"` + sixth + `","outside":"it is not guarded"}`})}),
		"sweeps/1/FAILED_0.json": text([]any{
			child(fourth, map[string]string{"Status": "FAILED", "Error": "Lambda.Unknown", "Cause": `{"errorMessage":"list regions: no","errorType":"Error"}`}),
		}),
		"sweeps/2/manifest.json":    `{"ResultFiles":{"SUCCEEDED":[{"Key":"sweeps/2/SUCCEEDED_0.json"}]}}`,
		"sweeps/2/SUCCEEDED_0.json": text([]any{child(third, map[string]string{"Output": `{"account":"` + third + `","healthy":4,"findings":1}`})}),
	})
	a := w.app(catalog.Backfill)
	gather := func(g string) app.Gathered {
		t.Helper()
		return must(a.HandleBackfill(t.Context(), json.RawMessage(`{"gather":`+g+`}`))).(app.Gathered)
	}
	cells := `"cells":[{"account":"` + other + `"},{"account":"` + third + `"},{"account":"` + fourth + `"},{"account":"` + fifth + `"},{"account":"` + sixth + `"}]`
	first := gather(`{"bucket":"results","key":"sweeps/1/manifest.json",` + cells + `}`)
	want := app.Gathered{
		Accounts: 1, Outside: 1, Healthy: 4, Repaired: 2, Planned: 2, Cells: []app.Cell{{Account: third, Rest: []string{"flowlogs/eu-west-1"}}},
		Unswept: []app.Unswept{{Account: fourth, Error: "list regions: no"}, {Account: fifth, Error: "it has no result"}},
		Swept:   []app.Swept{{Account: other, Healthy: 3, Repaired: 2, Planned: 2}, {Account: third, Healthy: 1}},
	}
	if diff := cmp.Diff(want, first); diff != "" {
		t.Errorf("first round (-want +got):\n%s", diff)
	}
	second := gather(`{"bucket":"results","key":"sweeps/2/manifest.json","cells":` + text(first.Cells) + `,"before":` + text(first) + `}`)
	want.Accounts, want.Healthy, want.Findings, want.Cells = 2, 8, 1, []app.Cell{}
	want.Swept[1].Healthy, want.Swept[1].Findings = 5, 1
	if diff := cmp.Diff(want, second); diff != "" {
		t.Errorf("second round (-want +got):\n%s", diff)
	}

	told := len(w.Messages())
	last := `{"before":` + text(second) + `,"last":true,"hub":"","own":{"account":"` + account + `","healthy":7,"reports":[{"kind":"guard"}]}}`
	if want.Own = (&app.Swept{Account: account, Healthy: 7, Reports: []report.View{{Kind: "guard"}}}); cmp.Diff(want, gather(last)) != "" {
		t.Errorf("with the hub's own sweep (-want +got):\n%s", cmp.Diff(want, gather(last)))
	}
	if said := w.told(told); !strings.Contains(said, "2 accounts could not be swept: "+fourth+", "+fifth) || !strings.Contains(said, "accounts-unswept") {
		t.Errorf("no message names the accounts:\n%s", said)
	}
	var line struct{ Accounts, Outside, Unswept, Repaired int }
	for l := range strings.Lines(w.log.String()) {
		if strings.Contains(l, `"msg":"organization"`) {
			if err := json.Unmarshal([]byte(l), &line); err != nil {
				t.Fatal(err)
			}
		}
	}
	if line.Accounts != 2 || line.Outside != 1 || line.Unswept != 2 || line.Repaired != 2 {
		t.Errorf("the log has %+v", line)
	}
	told = len(w.Messages())
	if gather(last); len(w.Messages()) > told {
		t.Errorf("told again:\n%s", w.told(told))
	}
	healed := second
	healed.Unswept = nil
	gather(`{"before":` + text(healed) + `,"last":true}`)
	if len(w.Messages()) > told {
		t.Errorf("told that nothing is wrong:\n%s", w.told(told))
	}
	gather(`{"before":` + text(healed) + `,"failed":"Organizations.AccessDeniedException: no","hub":"Lambda.Unknown","last":true}`)
	for _, want := range []string{"accounts-unlisted", "AccessDeniedException", "1 accounts could not be swept: " + account} {
		if said := w.told(told); !strings.Contains(said, want) {
			t.Errorf("no message has %s:\n%s", want, said)
		}
	}

	if _, err := a.HandleBackfill(t.Context(), json.RawMessage(`{"gather":{"bucket":"results","key":"sweeps/3/manifest.json"}}`)); err == nil {
		t.Error("results that cannot be read count as none")
	}
}

// What AWS says of an account whose units cannot be read does not say what to do.
func TestReason(t *testing.T) {
	t.Parallel()
	for failure, want := range map[string][]string{
		"Organizations.ChildNotFoundException": {"organizations:ListParents", "no such account", "check its ID"},
		"Organizations.AccessDeniedException":  {"organizations:ListParents", "delegated administrator"},
		"States.Timeout":                       {"States.Timeout: too long"},
	} {
		got := app.Reason("FAILED", failure, "too long")
		for _, text := range want {
			if i := strings.Index(got, text); i < 0 || i+len(text) > 150 { // more is not passed on
				t.Errorf("%s: %q, want %q", failure, got, text)
			}
		}
	}
}

// Only the sweep of every account that was found to its end, of everything and in repair, counts
// as a sweep of the organisation: the alarm on their absence rings whatever people start besides.
// One of a part neither clears nor repeats what people know.
func TestSumOfPart(t *testing.T) {
	t.Parallel()
	w, _, _ := hub(t, "")
	a := w.app(catalog.Backfill)
	const unswept = `"before":{"cells":[],"unswept":[{"account":"` + other + `","error":"no"}]}`
	gather := func(g string) (counts bool) {
		t.Helper()
		w.log = lockedBuffer{}
		must(a.HandleBackfill(t.Context(), json.RawMessage(`{"gather":{"last":true,`+g+`}}`)))
		log := w.log.String()
		if !strings.Contains(log, `"msg":"organization"`) {
			t.Errorf("%s: the log does not have the sum:\n%s", g, log)
		}
		return strings.Contains(log, `"Accounts":`)
	}
	gather(`"before":{"cells":[],"suspended":3}`)
	if log := w.log.String(); !strings.Contains(log, `"suspended":3`) {
		t.Errorf("the log does not count the accounts that are suspended:\n%s", log)
	}
	gather(unswept)
	every := string(must(json.Marshal(w.config.Watched())))
	for g, want := range map[string]bool{
		`"before":{"cells":[]},"request":{"kinds":` + every + `,"mode":"repair"},"listed":true`: false,
		`"before":{"cells":[]},"request":{"kinds":` + every + `,"mode":"plan"}`:                 false,
		`"before":{"cells":[]},"request":{"kinds":["flowlogs"]}`:                                false,
		`"before":{"cells":[]},"request":{"regions":["` + home + `"]}`:                          false,
		unswept + `,"failed":"it could not be listed","request":{"mode":"plan"}`:                false,
		unswept + `,"request":{"kinds":` + every + `,"mode":"repair"}`:                          true,
	} {
		if got := gather(g); got != want {
			t.Errorf("%s: counts as a sweep of the organisation %t, want %t", g, got, want)
		}
	}
	told := len(w.Messages())
	gather(`"before":{"cells":[]},"listed":true`)
	if gather(unswept); len(w.Messages()) > told {
		t.Errorf("after a sweep of some accounts, people are notified again:\n%s", w.told(told))
	}
	if gather(unswept + `,"failed":"it could not be listed"`) {
		t.Error("a sweep that did not find the accounts counts")
	}
}
