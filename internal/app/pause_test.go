package app_test

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	gocmp "github.com/google/go-cmp/cmp"

	"github.com/relight-aws/relight/events"
	"github.com/relight-aws/relight/internal/app"
	"github.com/relight-aws/relight/internal/awstest"
	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/remedy"
)

const (
	pauseParameter = "/relight/pause"
	operatorRole   = "arn:aws:iam::" + account + ":role/ops/operator"
	operator       = "arn:aws:sts::" + account + ":assumed-role/operator/alice"
	pausable       = `{"pause":{"by":["` + operatorRole + `"]}}`
)

// pause pauses relight as an operator does.
func (w *world) pause(length time.Duration, kinds ...catalog.Kind) {
	w.t.Helper()
	w.putAs(operator, pauseParameter, remedy.NewPause(w.now.Add(length), "network migration", kinds, nil).Encode())
}

// parameterEvent returns the event of a call on a parameter.
func parameterEvent(t *testing.T, sample, name, actor string) []byte {
	t.Helper()
	var e map[string]any
	if err := json.Unmarshal(events.Read(sample), &e); err != nil {
		t.Fatal(err)
	}
	detail := e["detail"].(map[string]any)
	detail["requestParameters"].(map[string]any)["name"] = name
	detail["userIdentity"] = map[string]any{"type": "AssumedRole", "arn": actor, "accountId": account}
	return must(json.Marshal(e))
}

// While relight is paused, it restores nothing and says so each time; with the end of
// the pause everything comes back, and both are messages.
func TestPause(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(w *world){
		"it runs out":     func(w *world) { w.now = w.now.Add(2*time.Hour + time.Second) },
		"it is ended":     func(w *world) { w.putAs(operator, pauseParameter, remedy.Resume().Encode()) },
		"it is deleted":   func(w *world) { w.deleteAs(operator, pauseParameter) },
		"a stranger ends": func(w *world) { w.putAs(writers["a user"], pauseParameter, "ended") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := healthy(t, pausable)
			w.PageSize(0)
			before := w.State()
			w.pause(2 * time.Hour)
			told := w.mailOf(func() { w.send(parameterEvent(t, "PutParameter.memory.json", pauseParameter, operator), true) })
			const says = "Paused: until 2026-03-03T14:00:00Z by " + operator + ": network migration (everything but topics and guard)\n"
			if !strings.Contains(told, says) || strings.Contains(told, "Notice") || strings.Count(told, "\nPaused:") != 1 {
				t.Errorf("after the pause %q", told)
			}
			writes := len(w.Writes())
			w.deleteAlarms(rootUsage)
			told = w.mailOf(func() {
				if again, errs := w.send(events.Read("DeleteAlarms.one.json"), true); len(again)+len(errs) > 0 {
					t.Errorf("%v, %v", again, errs)
				}
			})
			if !strings.Contains(told, says) || !strings.Contains(told, "NOT restored, because relight is paused: alarm "+rootUsage) || !strings.Contains(told, "What: DeleteAlarms") {
				t.Errorf("after the event %q", told)
			}
			w.deleteFlowLogs(home, "vpc-1")
			w.stopLogging("audit")
			var s app.Sweep
			told = w.mailOf(func() { s = w.sweep(app.Request{}) })
			if !strings.Contains(told, says) || !strings.Contains(told, "flow log of vpc-1") || !strings.Contains(told, "logging of trail audit") {
				t.Errorf("after the sweep %q", told)
			}
			if s.Unrestored != 0 || s.Repaired != 0 || s.Pause == nil || s.Pause.By != operator {
				t.Errorf("%+v", s)
			}
			if told := w.mailOf(func() { w.sweep(app.Request{}) }); told != "" {
				t.Errorf("again %q", told)
			}
			if told := w.mailOf(func() { w.sweep(app.Request{Digest: true}) }); !strings.Contains(told, says) {
				t.Errorf("the digest: %q", told)
			}
			if did := w.unmarked(writes, "DeleteAlarms", "DeleteFlowLogs", "StopLogging"); len(did) > 0 {
				t.Errorf("it wrote %v", did)
			}
			end(w)
			told = w.mailOf(func() { s = w.sweep(app.Request{}) })
			if !strings.Contains(told, "No longer paused: until 2026-03-03T14:00:00Z by "+operator) || !strings.Contains(told, "Restored: alarm "+rootUsage) || s.Repaired != 3 {
				t.Errorf("after the end %q, %d repaired", told, s.Repaired)
			}
			if diff := gocmp.Diff(before, w.State()); diff != "" {
				t.Errorf("not as before (-want +got):\n%s", diff)
			}
			if told := w.mailOf(func() { w.sweep(app.Request{}) }); strings.Contains(told, "No longer paused") {
				t.Errorf("again %q", told)
			}
		})
	}
}

// unmarked returns the targets of what functions wrote since, except what sweeps remember
// of their messages, given the calls that others made.
func (w *world) unmarked(since int, others ...string) []string {
	var all []string
	for _, write := range w.Writes()[since:] {
		if write.Target != findingsMemory && write.Target != pauseParameter && !slices.Contains(others, write.Op) {
			all = append(all, write.String())
		}
	}
	return all
}

func (w *world) deleteAs(caller, name string) {
	w.t.Helper()
	must(awstest.NewClients(w.ConfigOf(caller)).SSM.DeleteParameter(w.t.Context(), &ssm.DeleteParameterInput{Name: aws.String(name)}))
}

// What is no pause pauses nothing: relight restores, and reports who wrote it and why it
// does not count.
func TestNoPause(t *testing.T) {
	t.Parallel()
	const foreign = "pause.by in the configuration does not name its author"
	text := func(length time.Duration, change func(*remedy.PauseText)) func(w *world) string {
		return func(w *world) string {
			p := remedy.NewPause(w.now.Add(length), "network migration", nil, nil)
			if change != nil {
				change(&p)
			}
			return p.Encode()
		}
	}
	hour := text(time.Hour, nil)
	raw := func(s string) func(*world) string { return func(*world) string { return s } }
	tests := map[string]struct {
		config string
		by     string
		text   func(w *world) string
		why    string // "" for nothing to report
	}{
		"nobody may":             {config: "{}", by: operator, text: hour},
		"an administrator":       {by: "arn:aws:iam::" + account + ":user/admin", text: hour, why: foreign},
		"the sweep":              {by: sessionOf(catalog.Backfill), text: hour, why: foreign},
		"the root user":          {by: "arn:aws:iam::" + account + ":root", text: hour, why: foreign},
		"another account":        {by: strings.ReplaceAll(operator, account, other), text: hour, why: foreign},
		"a session like him":     {by: "arn:aws:sts::" + account + ":assumed-role/mallory/operator", text: hour, why: foreign},
		"a longer name":          {by: "arn:aws:sts::" + account + ":assumed-role/operator2/alice", text: hour, why: foreign},
		"a user like him":        {by: "arn:aws:iam::" + account + ":user/operator", text: hour, why: foreign},
		"a federated user":       {by: "arn:aws:sts::" + account + ":federated-user/operator", text: hour, why: foreign},
		"too long":               {by: operator, text: text(12*time.Hour+2*time.Minute, nil), why: "it is 12h2m long: use up to 12h"},
		"for ever":               {by: operator, text: raw(`{"schema_version":1,"until":"9999-12-31T23:59:59Z","reason":"x"}`), why: "long: use up to 12h"},
		"without an end":         {by: operator, text: raw(`{"schema_version":1,"reason":"x"}`), why: "it has no end"},
		"without a reason":       {by: operator, text: text(time.Hour, func(p *remedy.PauseText) { p.Reason = " " }), why: "it has no reason"},
		"a long reason":          {by: operator, text: text(time.Hour, func(p *remedy.PauseText) { p.Reason = strings.Repeat("x", 201) }), why: "its reason has 201 characters"},
		"two lines":              {by: operator, text: text(time.Hour, func(p *remedy.PauseText) { p.Reason = "a\nb" }), why: "not printed"},
		"over before it began":   {by: operator, text: text(-time.Hour, nil), why: "it ended before it began"},
		"the guard":              {by: operator, text: text(time.Hour, func(p *remedy.PauseText) { p.Kinds = []catalog.Kind{"guard"} }), why: "guard cannot be paused"},
		"the topic":              {by: operator, text: text(time.Hour, func(p *remedy.PauseText) { p.Kinds = []catalog.Kind{"alarms", "topics"} }), why: "topics cannot be paused"},
		"no such kind":           {by: operator, text: text(time.Hour, func(p *remedy.PauseText) { p.Kinds = []catalog.Kind{"alarm"} }), why: `there is no kind "alarm"`},
		"no such region":         {by: operator, text: text(time.Hour, func(p *remedy.PauseText) { p.Regions = []string{"mars-1"} }), why: `"mars-1" is not an AWS region`},
		"another version":        {by: operator, text: text(time.Hour, func(p *remedy.PauseText) { p.SchemaVersion = 2 }), why: "schema_version 2"},
		"an unknown member":      {by: operator, text: raw(`{"schema_version":1,"until":"2026-03-03T13:00:00Z","reason":"x","all":true}`), why: "not a pause"},
		"two documents":          {by: operator, text: raw(`{"schema_version":1,"until":"2026-03-03T13:00:00Z","reason":"x"} {}`), why: "something follows it"},
		"no JSON":                {by: operator, text: raw("pause"), why: "not a pause"},
		"both an end and a time": {by: operator, text: text(time.Hour, func(p *remedy.PauseText) { p.Resumed = true }), why: "it ends a pause and begins one"},
		"over":                   {by: operator, text: func(w *world) string { t := hour(w); w.now = w.now.Add(-2 * time.Hour); return t }, why: ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if tt.config == "" {
				tt.config = pausable
			}
			w := healthy(t, tt.config)
			w.PageSize(0)
			if name == "over" {
				w.now = w.now.Add(-2 * time.Hour)
				w.pause(time.Hour)
				w.now = w.now.Add(2 * time.Hour)
			} else {
				w.putAs(tt.by, pauseParameter, tt.text(w))
			}
			w.deleteAlarms(rootUsage)
			told := w.mailOf(func() { w.send(events.Read("DeleteAlarms.one.json"), true) })
			if !strings.Contains(told, "Restored: alarm "+rootUsage) || strings.Contains(told, "Paused") {
				t.Errorf("after the event %q", told)
			}
			if got := strings.Contains(told, "[pause-refused]"); got != (tt.why != "") || !strings.Contains(told, tt.why) {
				t.Errorf("the event reports it: %t, %q", got, told)
			}
			w.deleteFlowLogs(home, "vpc-1")
			told = w.mailOf(func() { w.sweep(app.Request{}) })
			if !strings.Contains(told, "vpc-1") || strings.Contains(told, "Paused") {
				t.Errorf("after the sweep %q", told)
			}
			if got := strings.Contains(told, "[pause-refused]"); got != (tt.why != "") || got && (!strings.Contains(told, tt.by) || !strings.Contains(told, tt.why)) {
				t.Errorf("the sweep reports it: %t, %q", got, told)
			}
		})
	}
}

// The call of somebody who may not pause is reported at once, with the caller.
func TestPauseByAStranger(t *testing.T) {
	t.Parallel()
	w := healthy(t, pausable)
	w.PageSize(0)
	mallory := writers["a user"]
	w.putAs(mallory, pauseParameter, remedy.NewPause(w.now.Add(time.Hour), "maintenance", nil, nil).Encode())
	told := w.mailOf(func() { w.send(parameterEvent(t, "PutParameter.memory.json", pauseParameter, mallory), true) })
	for _, want := range []string{"Notice: PutParameter of " + pauseParameter, "Who: " + mallory, "This parameter pauses relight.", "[pause-refused]"} {
		if !strings.Contains(told, want) {
			t.Errorf("no %q in %q", want, told)
		}
	}
	w.putAs(operator, pauseParameter, remedy.Resume().Encode())
	if s := w.sweep(app.Request{}); s.Findings != 0 {
		t.Errorf("%+v", s)
	}
}

// A pause of some kinds or regions leaves the others as they are, and none covers what
// relight notifies people and restores itself with.
func TestPauseOfAPart(t *testing.T) {
	t.Parallel()
	const ownAlarm = "relight-sweep-not-finished"
	tests := map[string]struct {
		kinds    []catalog.Kind
		regions  []string
		restored []string
		left     []string
	}{
		"a kind":       {kinds: []catalog.Kind{catalog.Alarms}, restored: []string{"vpc-1", "vpc-3", "audit"}, left: []string{rootUsage}},
		"a region":     {regions: []string{second}, restored: []string{"vpc-1", rootUsage, "audit"}, left: []string{"vpc-3"}},
		"both":         {kinds: []catalog.Kind{catalog.FlowLogs}, regions: []string{home}, restored: []string{"vpc-3", rootUsage, "audit"}, left: []string{"vpc-1"}},
		"everything":   {left: []string{"vpc-1", "vpc-3", rootUsage, "audit"}},
		"those at all": {kinds: catalog.Pausable(), regions: []string{home, second}, left: []string{"vpc-1", "vpc-3", rootUsage, "audit"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := healthy(t, pausable)
			w.PageSize(0)
			before := w.State()
			w.putAs(operator, pauseParameter, remedy.NewPause(w.now.Add(time.Hour), "migration", tt.kinds, tt.regions).Encode())
			w.deleteFlowLogs(home, "vpc-1")
			w.deleteFlowLogs(second, "vpc-3")
			w.stopLogging("audit")
			w.disableRule(alarmsRule)
			w.deleteTopic()
			w.deleteAlarms(rootUsage, ownAlarm)
			s := w.sweep(app.Request{})
			gaps := w.gaps()
			for _, name := range tt.left {
				if !slices.Contains(gaps, strings.TrimPrefix(name, "relight-")) {
					t.Errorf("%s was restored: %v", name, gaps)
				}
			}
			for _, name := range tt.restored {
				if slices.Contains(gaps, strings.TrimPrefix(name, "relight-")) {
					t.Errorf("%s was not restored: %v", name, gaps)
				}
			}
			if s.Unrestored != 0 {
				t.Errorf("%d unrestored: %v", s.Unrestored, unrestored(s))
			}
			after := w.State()
			for _, key := range []string{home + " alarm " + ownAlarm, home + " rule default/" + alarmsRule, home + " topic " + w.topic} {
				if after[key] == "" || after[key] != before[key] {
					t.Errorf("%s, a part of relight itself, was %q and is %q", key, before[key], after[key])
				}
			}
		})
	}
}

// If relight cannot read whether it is paused, it is not, and says so.
func TestPauseUnread(t *testing.T) {
	t.Parallel()
	for name, unread := range map[string]func(w *world){
		"denied":    func(w *world) { w.Deny("GetParameterHistory") },
		"throttled": func(w *world) { w.Fail("GetParameterHistory", slices.Repeat([]string{"ThrottlingException"}, 99)...) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := healthy(t, pausable)
			w.pause(time.Hour)
			w.sweep(app.Request{})
			unread(w)
			w.deleteAlarms(rootUsage)
			told := w.mailOf(func() { w.send(events.Read("DeleteAlarms.one.json"), true) })
			if !strings.Contains(told, "Restored: alarm "+rootUsage) || !strings.Contains(told, "[pause-unread]") {
				t.Errorf("%q", told)
			}
		})
	}
}

// A run reads whether it is paused only if it is about to write: one call more, and only
// where the configuration lets anybody pause.
func TestPauseBudget(t *testing.T) {
	t.Parallel()
	tests := []struct {
		event string
		plain int // the budget where nobody may pause
		reads int
	}{
		{"DeleteAlarms.one.json", 3, 1},
		{"CreateVpc.default.json", 7, 1},
		{"DeleteAlarms.all.json", len(catalog.Controls()) + 2, 1},
		{"DeleteAlarms.foreign.json", 1, 0},
		{"StopLogging.foreign.json", 1, 0},
		{"PutMetricAlarm.echo.json", 4, 0},
	}
	for _, tt := range tests {
		for config, more := range map[string]int{"": 0, pausable: tt.reads} {
			t.Run(tt.event+config, func(t *testing.T) {
				w := healthy(t, config)
				w.PageSize(0)
				if do := harms[tt.event].do; do != nil {
					do(w)
				}
				before := w.Calls()
				w.send(events.Read(tt.event), true)
				used := w.Calls().Since(before)
				if n := used.Total("Publish", "PutEvents"); n > tt.plain+more {
					t.Errorf("%d calls %v, want at most %d", n, used, tt.plain+more)
				}
			})
		}
	}
}

// Whatever event arrives in a pause, nothing that may be paused is written; after it, a sweep
// restores what the event alone would have restored.
func TestEveryAttackInAPause(t *testing.T) {
	t.Parallel()
	for _, name := range slices.Sorted(maps.Keys(harms)) {
		attack := harms[name]
		call, _, _ := strings.Cut(name, ".")
		if touches := catalog.FindCalls("aws.sns", catalog.APICall, call); attack.do == nil || len(touches) > 0 || strings.Contains(name, "Key") {
			continue // the topic is never paused
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var c map[string]any
			must(0, json.Unmarshal([]byte(cmp.Or(attack.config, "{}")), &c))
			c["pause"] = map[string]any{"by": []string{operatorRole}}
			w := healthy(t, string(must(json.Marshal(c))))
			w.PageSize(0)
			w.pause(time.Hour)
			attack.do(w)
			writes := len(w.Writes())
			w.send(events.Read(name), true)
			w.sweep(app.Request{})
			if did := w.unmarked(writes); len(did) > 0 {
				t.Errorf("it wrote %v", did)
			}
			w.now = w.now.Add(time.Hour + time.Second)
			s := w.sweep(app.Request{})
			if s.Unrestored != 0 {
				t.Errorf("%v", unrestored(s))
			}
			if s := w.sweep(app.Request{Mode: "plan"}); s.Planned != 0 {
				t.Errorf("%d left to restore: %+v", s.Planned, s.Reports)
			}
		})
	}
}
