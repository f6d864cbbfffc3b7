package config_test

import (
	"encoding/json"
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relight-aws/relight/internal/config"
)

// Facts are what somebody set, and give the same configuration again.
func TestFacts(t *testing.T) {
	for raw, want := range map[string]config.Facts{
		`{}`: {},
		`{"sweepMinutes":15,"flowLogs":{"trafficType":"REJECT"}}`: {}, // the defaults
		`{"prefix":"acme"}`: {"prefix": `"acme"`},
		`{"prefix":"acme","flowLogs":{"logGroup":"acme-flow-logs"}}`: {"prefix": `"acme"`},
		`{"controls":{"root-usage":{"threshold":5},"vpc-changes":{"disabled":true}}}`: {
			"controls.root-usage.threshold": "5", "controls.vpc-changes.disabled": "true",
		},
		`{"modes":{"flowlogs":"observe"},"flowLogs":{"exemptVpcs":["vpc-0123456789abcdef0"],"rejectAlarm":{}}}`: {
			"modes.flowlogs": `"observe"`, "flowLogs.exemptVpcs": `["vpc-0123456789abcdef0"]`, "flowLogs.rejectAlarm": "{}",
		},
		`{"tags":{"cost.centre":"a/b"}}`:                            {"tags.cost~1centre": `"a/b"`},
		`{"flowLogs":{"subnets":{"tags":{"#1":"a&b","a~1b":"y"}}}}`: {"flowLogs.subnets.tags.~21": `"a&b"`, "flowLogs.subnets.tags.a~01b": `"y"`},
		`{"addControls":[{"id":"b","pattern":"{ $.a > 1 }"},{"id":"a","pattern":"x","threshold":2.5}]}`: {
			"addControls.#0.id": `"b"`, "addControls.#0.pattern": `"{ $.a > 1 }"`,
			"addControls.#1.id": `"a"`, "addControls.#1.pattern": `"x"`, "addControls.#1.threshold": "2.5",
		},
		`{"deletionProtection":false,"flowLogs":{"retentionDays":731}}`: {"deletionProtection": "false", "flowLogs.retentionDays": "731"},
	} {
		c, err := config.Parse([]byte(raw))
		if err != nil {
			t.Fatal(err)
		}
		facts := c.Facts()
		if diff := cmp.Diff(want, facts); diff != "" {
			t.Errorf("%s (-want +got):\n%s", raw, diff)
		}
		again, err := facts.Config()
		if err != nil {
			t.Fatal(err)
		}
		was, _ := json.Marshal(c) // a configuration always marshals
		now, _ := json.Marshal(again)
		if diff := cmp.Diff(string(was), string(now)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", raw, diff)
		}
	}
}

// More than ten elements of a list keep their order.
func TestFactsKeepOrder(t *testing.T) {
	c, err := config.Parse([]byte(`{"addControls":` + manyControls(12, "a") + `}`))
	if err != nil {
		t.Fatal(err)
	}
	again, err := c.Facts().Config()
	if diff := cmp.Diff(c.AddControls, again.AddControls); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

// What is no configuration is an error, never a smaller one.
func TestFactsThatAreNone(t *testing.T) {
	for name, facts := range map[string]config.Facts{
		"not JSON":          {"sweepMinutes": "fifteen"},
		"out of bounds":     {"sweepMinutes": "1"},
		"unknown key":       {"sweepHours": "1"},
		"both":              {"controls.root-usage": "{}", "controls.root-usage.threshold": "2"},
		"a missing element": {"subscribers.#1.protocol": `"email"`, "subscribers.#1.endpoint": `"a@example.com"`},
		"no object":         {"": `"x"`},
	} {
		if c, err := facts.Config(); err == nil {
			t.Errorf("%s: %v has no error: %+v", name, facts, c)
		}
	}
}

func TestDifferences(t *testing.T) {
	was := config.Facts{"a": "1", "b": "2", "c": "3"}
	want := []config.Difference{{Path: "b", Was: "2", Now: "5"}, {Path: "c", Was: "3"}, {Path: "d", Now: "4"}}
	if diff := cmp.Diff(want, was.Differences(config.Facts{"a": "1", "b": "5", "d": "4"})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := was.Differences(maps.Clone(was)); len(got) > 0 {
		t.Errorf("%v, want no difference", got)
	}
}
