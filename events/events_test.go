package events_test

import (
	"encoding/json"
	"flag"
	"maps"
	"net/netip"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relight-aws/relight/events"
	"github.com/relight-aws/relight/internal/catalog"
)

const (
	account   = "111122223333"
	other     = "444455556666"
	truncated = "Malformed.truncated.json" // the one sample that is not JSON
)

// An event has the fields of a sample that these tests read.
type event struct {
	Source     string         `json:"source"`
	DetailType string         `json:"detail-type"`
	Account    string         `json:"account"`
	Region     string         `json:"region"`
	Detail     map[string]any `json:"detail"`
}

// decode returns a sample. It fails the test if the sample is malformed.
func decode(t *testing.T, name string) event {
	t.Helper()
	var e event
	if err := json.Unmarshal(events.Read(name), &e); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return e
}

// wellFormed returns the names of the samples that AWS could have sent.
func wellFormed() []string {
	return slices.DeleteFunc(events.All(), func(n string) bool { return strings.HasPrefix(n, "Malformed.") })
}

func (e event) str(key string) string {
	s, _ := e.Detail[key].(string)
	return s
}

// success reports whether a sample is a successful call in the account, with a
// record that agrees with its envelope.
func (e event) success() bool {
	if e.Account != account || e.Detail["errorCode"] != nil {
		return false
	}
	return e.DetailType != catalog.APICall || e.str("recipientAccountId") == e.Account && e.str("awsRegion") == e.Region
}

// at returns the value at a path of the catalog in a detail. It returns nil if
// there is none.
func at(detail map[string]any, paths string) any {
	for path := range strings.SplitSeq(paths, "|") {
		var v any = detail
		for member := range strings.SplitSeq(path, ".") {
			m, _ := v.(map[string]any)
			v = m[member]
		}
		if v != nil {
			return v
		}
	}
	return nil
}

// Every watched call needs a sample of a successful call with a name at the
// path that the catalog lists.
func TestEveryCallHasASuccess(t *testing.T) {
	for _, c := range catalog.Calls {
		found := slices.ContainsFunc(wellFormed(), func(name string) bool {
			e := decode(t, name)
			got, ok := catalog.FindCall(e.Source, e.DetailType, e.str("eventName"))
			return ok && got.Source == c.Source && got.DetailType == c.DetailType && got.Name == c.Name &&
				e.success() && (c.Path == "" || at(e.Detail, c.Path) != nil)
		})
		if !found {
			t.Errorf("no success of %s %q %s with a name at %v", c.Source, c.DetailType, c.Name, c.Path)
		}
	}
}

func TestJSON(t *testing.T) {
	for _, name := range events.All() {
		if got, want := json.Valid(events.Read(name)), name != truncated; got != want {
			t.Errorf("%s: valid JSON is %t, want %t", name, got, want)
		}
	}
}

func TestNames(t *testing.T) {
	shape := regexp.MustCompile(`^([A-Za-z0-9]+)(\.[a-z]+(-[a-z]+)*)+\.json$`)
	for _, name := range events.All() {
		if !shape.MatchString(name) {
			t.Errorf("%s: want <EventName>.<variant>.json", name)
		}
	}
	for _, name := range wellFormed() {
		e := decode(t, name)
		_, watched := catalog.FindCall(e.Source, e.DetailType, e.str("eventName"))
		family, _, _ := strings.Cut(name, ".")
		switch family {
		case "AlarmChange":
			if e.DetailType != catalog.AlarmChange {
				t.Errorf("%s: detail type %q, want %q", name, e.DetailType, catalog.AlarmChange)
			}
		case "Unknown":
			if watched {
				t.Errorf("%s: %s %s is watched", name, e.Source, e.str("eventName"))
			}
		default:
			if got := e.str("eventName"); got != family {
				t.Errorf("%s: eventName %q", name, got)
			}
		}
	}
}

// Only the errorCode shows that AWS refused a call, so the name of a sample must
// agree with it.
func TestRefused(t *testing.T) {
	for _, name := range wellFormed() {
		refused := decode(t, name).Detail["errorCode"] != nil
		if want := strings.HasSuffix(name, ".refused.json"); refused != want {
			t.Errorf("%s: refused is %t, want %t", name, refused, want)
		}
	}
}

// A record may disagree with its envelope only if the name of the sample says
// so.
func TestRecordsAgree(t *testing.T) {
	for _, name := range wellFormed() {
		e := decode(t, name)
		if e.DetailType == catalog.AlarmChange || e.str("recipientAccountId") == "" {
			continue
		}
		agrees := e.str("recipientAccountId") == e.Account && e.str("awsRegion") == e.Region
		if want := !strings.HasSuffix(name, "-record.json"); agrees != want {
			t.Errorf("%s: record agrees with envelope is %t, want %t", name, agrees, want)
		}
	}
}

var update = flag.Bool("update", false, "rewrite the alarm names in DeleteAlarms.all.json")

var alarmNames = regexp.MustCompile(`(?s)"alarmNames": \[.*?\]`)

// The sample that deletes every alarm must name the alarms of all controls. It
// stays a complete file: -update rewrites only the names in it.
func TestDeleteAlarmsAllNamesEveryControl(t *testing.T) {
	const name = "DeleteAlarms.all.json"
	var names []string
	for _, c := range catalog.Controls() {
		names = append(names, `"`+catalog.Baseline{Prefix: "relight"}.Name(c.ID)+`"`)
	}
	const indent = "\n        "
	want := alarmNames.ReplaceAll(events.Read(name), []byte(`"alarmNames": [`+indent+strings.Join(names, ","+indent)+"\n      ]"))
	if *update {
		if err := os.WriteFile(name, want, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(want), string(events.Read(name))); diff != "" || len(names) == 0 {
		t.Errorf("go test ./events -update (-want +got):\n%s", diff)
	}
}

// No sample may contain a real account, principal or address. These expressions
// search the raw text, so they also cover strings inside strings and the
// truncated sample.
var (
	accounts   = regexp.MustCompile(`\b[0-9]{12}\b`)
	principals = regexp.MustCompile(`\bA(?:KIA|SIA|IDA|ROA)[A-Z0-9]{8,}`)
	addresses  = regexp.MustCompile(`\b(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?:/[0-9]{1,2})?\b`)
	caller     = regexp.MustCompile(`"sourceIPAddress": "([^"]*)"`)
)

func TestNothingReal(t *testing.T) {
	for _, name := range events.All() {
		raw := string(events.Read(name))
		for _, id := range accounts.FindAllString(raw, -1) {
			if id != account && id != other {
				t.Errorf("%s: account %s", name, id)
			}
		}
		for _, id := range principals.FindAllString(raw, -1) {
			if !strings.HasSuffix(id, "EXAMPLE") {
				t.Errorf("%s: principal %s is not a documentation example", name, id)
			}
		}
		for _, a := range addresses.FindAllString(raw, -1) {
			if !documentation(a) {
				t.Errorf("%s: address %s", name, a)
			}
		}
		for _, m := range caller.FindAllStringSubmatch(raw, -1) {
			if !documentation(m[1]) && !strings.HasSuffix(m[1], ".amazonaws.com") {
				t.Errorf("%s: caller %s", name, m[1])
			}
		}
	}
}

// documentation reports whether s is a documentation address of RFC 5737 or a
// network of private addresses.
func documentation(s string) bool {
	if network, err := netip.ParsePrefix(s); err == nil {
		return network.Addr().IsPrivate()
	}
	addr, err := netip.ParseAddr(s)
	if err != nil {
		return false
	}
	return slices.ContainsFunc([]string{"192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"}, func(block string) bool {
		return netip.MustParsePrefix(block).Contains(addr)
	})
}

func TestReadmeListsEverySample(t *testing.T) {
	if diff := cmp.Diff(events.All(), slices.Sorted(maps.Keys(events.Expected()))); diff != "" {
		t.Errorf("samples and README.md (-samples +README):\n%s", diff)
	}
}

func TestReadPanicsOnAnUnknownName(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("Read returned")
		}
	}()
	events.Read("NoSuch.call.json")
}
