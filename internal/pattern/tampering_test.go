package pattern_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/relight-aws/relight/events"
	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/pattern"
)

func tampering(t *testing.T, prefix string) catalog.Control {
	t.Helper()
	all := catalog.ControlsFor(prefix)
	return all[slices.IndexFunc(all, func(c catalog.Control) bool { return c.ID == "tampering" })]
}

// The control that watches relight itself matches each sample of a call on relight's
// own stack, its topics, their subscribers and its roles, and neither that of a
// stranger's resource nor that of a deployment.
func TestTampering(t *testing.T) {
	c := tampering(t, "relight")
	p, err := pattern.Parse(c.Pattern)
	if err != nil {
		t.Fatal(err)
	}
	matched := map[string]bool{}
	for _, name := range events.All() {
		var e struct{ Detail json.RawMessage }
		var d struct {
			EventName, SourceIPAddress          string
			RequestParameters, ResponseElements json.RawMessage
		}
		if json.Unmarshal(events.Read(name), &e) != nil || json.Unmarshal(e.Detail, &d) != nil || d.EventName == "" {
			continue
		}
		matches := p.Matches(string(e.Detail))
		ours := strings.Contains(string(d.RequestParameters)+string(d.ResponseElements), "relight-") && d.SourceIPAddress != "cloudformation.amazonaws.com"
		if matches && !ours {
			t.Errorf("%s matches, and is not about relight", name)
		}
		matched[d.EventName] = matched[d.EventName] || matches
	}
	// The pattern has no room for these. Relight's stack, and its bus, have names
	// without a hyphen besides.
	beyond := []catalog.ResourceType{catalog.LogGroup, catalog.Stack, catalog.EventBus, catalog.UsedBus, catalog.IAMPolicy, catalog.StateMachine}
	inARN := []string{"PutDataProtectionPolicy", "StartMessageMoveTask"} // they name the topic or queue at another place
	for _, call := range catalog.Calls {
		if slices.Contains(beyond, call.Type) || slices.Contains(inARN, call.Name) {
			continue
		}
		guard := slices.Equal(call.Kinds, []catalog.Kind{catalog.Guard})
		topic := call.Type == catalog.Topic
		if (guard || topic) && call.DetailType == catalog.APICall && !matched[call.Name] {
			t.Errorf("no sample of %s on relight's own matches", call.Name)
		}
	}
}

// With another prefix the control watches names that begin with it, and the pattern
// fits CloudWatch Logs' limit with the longest prefix.
func TestTamperingOfAnotherPrefix(t *testing.T) {
	c := tampering(t, "watch")
	p, err := pattern.Parse(c.Pattern)
	if err != nil {
		t.Fatal(err)
	}
	for sample, want := range map[string]bool{c.Sample: true, tampering(t, "relight").Sample: false} {
		if got := p.Matches(sample); got != want {
			t.Errorf("%s: %t, want %t", sample, got, want)
		}
	}
	if n := len(tampering(t, strings.Repeat("p", 20)).Pattern); n > catalog.PatternLimit {
		t.Errorf("%d characters", n)
	}
}
