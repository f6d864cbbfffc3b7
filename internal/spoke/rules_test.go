package spoke_test

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relight-aws/relight/internal/catalog"
)

// patterns returns the patterns of the rules on the default bus by the rules' names.
func patterns(resources map[string]resource) map[string]any {
	out := map[string]any{}
	for _, r := range resources {
		if r.Type == "AWS::Events::Rule" && r.Properties["EventBusName"] == nil {
			out[r.Properties["Name"].(string)] = r.Properties["EventPattern"]
		}
	}
	return out
}

// deployed returns the resources of a template of the hub's stacks.
func deployed(t *testing.T, name string) map[string]resource {
	t.Helper()
	raw, err := os.ReadFile("../../infra/stack/testdata/" + name + ".template.json")
	if err != nil {
		t.Fatal(err)
	}
	var tpl read
	if err := json.Unmarshal(raw, &tpl); err != nil {
		t.Fatal(err)
	}
	return tpl.Resources
}

// hubs are configurations whose stacks have golden templates, as guarded accounts have them.
var hubs = map[string]string{
	"relight": `{"homeRegion":"eu-west-1","organization":{"id":"o-a1b2c3d4e5","hubAccount":"111122223333"}}`,
	"acme": `{"homeRegion":"eu-west-1","prefix":"acme","regions":["eu-central-1"],"sweepMinutes":30,"modes":{"alarms":"off"},"trailLogs":{"logGroup":"org-trail"},
		"organization":{"id":"o-a1b2c3d4e5","hubAccount":"111122223333"}}`,
}

// In each region but the home region, an account has the very rules of the forwarder that
// is deployed there in the hub.
func TestRulesOfForwarders(t *testing.T) {
	for prefix, raw := range hubs {
		c, tpl := template(t, raw)
		for _, region := range c.Baseline().Forwarders(c.HomeRegion) {
			want := patterns(deployed(t, prefix+"-"+region))
			if len(want) == 0 {
				t.Fatalf("%s has no rules in %s", prefix, region)
			}
			for _, params := range []map[string]string{nil, owns} {
				if diff := cmp.Diff(want, patterns(in(tpl, region, params).resources())); diff != "" {
					t.Errorf("%s in %s (-forwarder +account):\n%s", prefix, region, diff)
				}
			}
		}
	}
}

// In the home region, the rules of an account match what those of the hub's stack match
// together: all of it if the account owns a trail, and else what matters to the kinds that
// every account has. They leave out calls on what only the hub has.
func TestRulesOfTheHomeRegion(t *testing.T) {
	onlyHub := []string{"aws.lambda calls", "aws.scheduler calls", "aws.ssm memory", "aws.states calls"}
	for prefix, raw := range hubs {
		c, tpl := template(t, raw)
		for _, params := range []map[string]string{nil, owns} {
			want := map[string][]string{}
			for name, p := range patterns(deployed(t, prefix)) {
				kind, _, _ := strings.Cut(strings.TrimPrefix(name, prefix+"-"), "-")
				if params == nil && catalog.Kind(kind).OfOwner() {
					continue
				}
				for id, calls := range matched(p) {
					if slices.ContainsFunc(onlyHub, func(h string) bool { return strings.HasPrefix(id, h) }) || kind == "guard" && id == "aws.logs calls" {
						continue
					}
					want[id] = append(want[id], calls...)
				}
			}
			got := map[string][]string{}
			for _, p := range patterns(in(tpl, c.HomeRegion, params).resources()) {
				for id, calls := range matched(p) {
					if got[id] != nil {
						t.Errorf("%s: two rules match %s", prefix, id)
					}
					got[id] = calls
				}
			}
			for _, calls := range []map[string][]string{want, got} {
				for id := range calls {
					calls[id] = slices.DeleteFunc(slices.Compact(slices.Sorted(slices.Values(calls[id]))), func(call string) bool {
						return slices.Contains([]string{"DeleteEventBus", "PutPermission", "RemovePermission", "UpdateEventBus"}, call) && id == "aws.events calls" // on buses
					})
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s, %v (-hub +account):\n%s", prefix, params, diff)
			}
		}
	}
}

// matched returns the calls that a pattern matches, by its source and what distinguishes
// it from others of that source.
func matched(p any) map[string][]string {
	source, detail := list(object(p)["source"])[0], object(object(p)["detail"])
	sort := " calls"
	switch parameters := object(detail["requestParameters"]); {
	case list(object(p)["detail-type"])[0] == catalog.AlarmChange:
		return map[string][]string{source + " changes": {"any"}}
	case parameters["tagSet"] != nil:
		sort = " tags"
	case len(parameters) > 0:
		sort = " memory " + slices.Sorted(maps.Keys(parameters))[0]
	}
	return map[string][]string{source + sort: list(detail["eventName"])}
}

// Every rule sends to the bus of the hub, with the role and the queue of its own region.
// Its name is one that the role of the account may restore.
func TestTargets(t *testing.T) {
	for name, raw := range all {
		c, tpl := template(t, raw)
		b := c.Baseline()
		p, _ := catalog.PartitionOf(c.HomeRegion)
		for _, region := range b.SpokeRegions(c.HomeRegion) {
			n := 0
			for id, r := range in(tpl, region, owns).resources() {
				if r.Type != "AWS::Events::Rule" {
					continue
				}
				n++
				want := []any{map[string]any{
					"Id":               "Target0",
					"Arn":              "arn:" + p.ID + ":events:" + c.HomeRegion + ":111122223333:event-bus/" + c.Prefix,
					"RoleArn":          "arn:" + p.ID + ":iam::" + guarded + ":role/" + c.Prefix + "-forward-" + region,
					"DeadLetterConfig": map[string]any{"Arn": "arn:" + p.ID + ":sqs:" + region + ":" + guarded + ":" + c.Prefix + "-undelivered"},
				}}
				if diff := cmp.Diff(want, r.Properties["Targets"]); diff != "" {
					t.Errorf("%s: %s in %s (-want +got):\n%s", name, id, region, diff)
				}
				if rule, _ := r.Properties["Name"].(string); !strings.HasPrefix(rule, c.Prefix+"-forward-") || r.Properties["State"] != "ENABLED" {
					t.Errorf("%s: %v", name, r.Properties)
				}
			}
			if n == 0 {
				t.Errorf("%s: no rules in %s", name, region)
			}
			global := region == catalog.GlobalRegion(c.HomeRegion)
			if has := patterns(in(tpl, region, nil).resources())[c.Prefix+"-forward-iam-calls"] != nil; has != global {
				t.Errorf("%s: in %s, a rule for IAM: %t, want %t", name, region, has, global)
			}
		}
	}
}
