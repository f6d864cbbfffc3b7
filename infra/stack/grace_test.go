package stack_test

import (
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relight-aws/relight/infra/stack"
	"github.com/relight-aws/relight/internal/catalog"
)

const graceConfig = `{"regions": ["` + remote + `"], "flowLogs": {"graceSeconds": 300, "exemptByTag": true}}`

// graceful returns the stacks of a configuration that delays the events of new
// VPCs and lets people exempt VPCs by tag.
var graceful = sync.OnceValue(func() app {
	return synth(graceConfig, stack.ARM64, home)
})

// The events of new VPCs wait in a separate queue, in front of the same
// function and dead-letter queue. All other events are as fast as without the
// delay.
func TestGrace(t *testing.T) {
	s := graceful()["relight"].template
	id, fn := s.function(t, "relight-flowlogs")
	queues := map[float64]string{} // by delay
	for _, m := range s.of("AWS::Lambda::EventSourceMapping") {
		if text(m.Properties["FunctionName"]) != ref(id) {
			continue
		}
		queue := strings.TrimSuffix(strings.TrimPrefix(text(m.Properties["EventSourceArn"]), "${"), ".Arn}")
		queues[seconds(s.Resources[queue].Properties["DelaySeconds"])] = queue
		if got := text(m.Properties["FunctionResponseTypes"]); got != `["ReportBatchItemFailures"]` {
			t.Errorf("%s: response types %s", queue, got)
		}
	}
	if len(queues) != 2 || queues[0] == "" || queues[300] == "" {
		t.Fatalf("queues by delay %v, want one without and one of 300 s", queues)
	}
	now, later := s.Resources[queues[0]].Properties, s.Resources[queues[300]].Properties
	for _, property := range []string{"RedrivePolicy", "VisibilityTimeout", "SqsManagedSseEnabled"} {
		if diff := cmp.Diff(text(now[property]), text(later[property])); diff != "" {
			t.Errorf("%s of the two queues (-without +with delay):\n%s", property, diff)
		}
	}
	role := s.Resources[strings.TrimSuffix(strings.TrimPrefix(text(fn.Properties["Role"]), "${"), ".Arn}")]
	may := statements(t, role.Properties)
	for _, q := range queues {
		if !slices.ContainsFunc(may, func(st string) bool {
			return strings.Contains(st, "sqs:ReceiveMessage") && strings.Contains(st, arn(q))
		}) {
			t.Errorf("the function may not read %s: %v", q, may)
		}
	}
	bus, _ := s.only(t, "AWS::Events::EventBus")
	var policy catalog.Baseline
	policy.FlowLogs.ExemptByTag = true
	for _, on := range []string{"", ref(bus)} {
		newborn := []string{`{"detail":{"errorCode":[{"exists":false}],"eventName":["CreateVpc","CreateDefaultVpc"]},` +
			`"detail-type":["AWS API Call via CloudTrail"],"source":["aws.ec2"]}`}
		if diff := cmp.Diff(newborn, rules(t, s, on, arn(queues[300]))); diff != "" {
			t.Errorf("delayed patterns (-want +got):\n%s", diff)
		}
		others := slices.DeleteFunc(policy.Calls(), func(c catalog.Call) bool { return c.Newborn })
		if on == "" { // in a home region that raises no global events
			others = catalog.RegionalCalls(others)
		}
		var want []string
		for _, p := range catalog.PatternsOf(others, catalog.FlowLogs) {
			want = append(want, sorted(t, p))
		}
		slices.Sort(want)
		if diff := cmp.Diff(want, rules(t, s, on, arn(queues[0]))); diff != "" {
			t.Errorf("patterns without delay (-want +got):\n%s", diff)
		}
	}
	for name, s := range defaults() {
		for id, q := range s.of("AWS::SQS::Queue") {
			if q.Properties["DelaySeconds"] != nil {
				t.Errorf("%s: %s has a delay without graceSeconds", name, id)
			}
		}
	}
}

// Other regions forward calls that change the exempting tag only if the
// configuration allows exemption by tag.
func TestTagRules(t *testing.T) {
	for _, tt := range []struct {
		app  app
		name string
		want bool
	}{{graceful(), "relight-" + remote, true}, {custom(), "acme-" + remote, false}, {graceful(), "relight", true}, {defaults(), "relight", false}} {
		found := false
		for _, r := range tt.app[tt.name].of("AWS::Events::Rule") {
			found = found || strings.Contains(text(r.Properties["EventPattern"]), `"key":["relight:exempt"]`)
		}
		if found != tt.want {
			t.Errorf("%s: watches the tag: %t, want %t", tt.name, found, tt.want)
		}
	}
}

// sorted renders a pattern with sorted keys, as text renders the template's
// pattern.
func sorted(t *testing.T, p catalog.Pattern) string {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(p.String()), &v); err != nil {
		t.Fatal(err)
	}
	return text(v)
}
