package report_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/remedy"
	"github.com/relight-aws/relight/internal/report"
)

const topic = "arn:aws:sns:us-east-1:111122223333:relight"

// A mailbox keeps the notifications that were published.
type mailbox struct {
	topics, subjects, messages []string // the texts for people
	sent                       []remedy.Notification
	kinds, events              []string         // detail types and details
	refuses                    map[string]error // by topic, and "events"
	err                        error
}

func (m *mailbox) Emit(_ context.Context, detailType, detail string) error {
	m.kinds, m.events = append(m.kinds, detailType), append(m.events, detail)
	return m.refuses["events"]
}

func (m *mailbox) Publish(_ context.Context, topic string, n remedy.Notification) error {
	message := n.Message
	if n.Structured {
		var by map[string]string
		if err := json.Unmarshal([]byte(message), &by); err != nil {
			return err
		}
		message = by["email"]
	}
	m.topics, m.subjects, m.messages, m.sent = append(m.topics, topic), append(m.subjects, n.Subject), append(m.messages, message), append(m.sent, n)
	if err := m.refuses[topic]; err != nil {
		return err
	}
	return m.err
}

var now = cause.Time.Add(2500 * time.Millisecond)

// tell reports a run and returns the log lines.
func tell(t *testing.T, p report.Reporter, r remedy.Report) ([]map[string]any, error) {
	t.Helper()
	var out bytes.Buffer
	p.Log, p.Now = slog.New(slog.NewJSONHandler(&out, nil)), func() time.Time { return now }
	err := p.Notify(t.Context(), nil, r)
	p.Record(t.Context(), r, err, now)
	var lines []map[string]any
	for raw := range bytes.Lines(out.Bytes()) {
		var line map[string]any
		if err := json.Unmarshal(raw, &line); err != nil {
			t.Fatalf("%s: %v", raw, err)
		}
		delete(line, "time")
		lines = append(lines, line)
	}
	return lines, err
}

func TestLog(t *testing.T) {
	lines, err := tell(t, report.Reporter{Function: "relight-backfill"}, full())
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	for _, l := range lines {
		if err := enc.Encode(l); err != nil {
			t.Fatal(err)
		}
	}
	golden(t, "log.json", out.Bytes())
}

// The run's line must have every member of its metric directive, because
// CloudWatch drops a metric whose directive names a missing member. Source:
// Amazon CloudWatch User Guide, "Specification: Embedded metric format".
func TestMetrics(t *testing.T) {
	tests := map[string]struct {
		r                              remedy.Report
		level                          string
		repaired, unrestored, findings float64
	}{
		"full":    {full(), "ERROR", 1, 2, 1},
		"planned": {planned(), "INFO", 0, 0, 1},
		"unread":  {unread(), "ERROR", 0, 1, 0},
		"at rest": {remedy.Report{Scope: scope, Mode: catalog.Repair}, "INFO", 0, 0, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			lines, _ := tell(t, report.Reporter{Function: "relight-alarms"}, tt.r)
			run := lines[len(lines)-1]
			if run["msg"] != "run" || run["level"] != tt.level {
				t.Errorf("last line is %v at level %v, want run at %s", run["msg"], run["level"], tt.level)
			}
			want := map[string]any{
				"Timestamp": float64(now.UnixMilli()),
				"CloudWatchMetrics": []any{map[string]any{
					"Namespace": "relight", "Dimensions": []any{[]any{catalog.MetricDimension}, []any{}},
					"Metrics": []any{
						map[string]any{"Name": "Repaired", "Unit": "Count"},
						map[string]any{"Name": "Unrestored", "Unit": "Count"},
						map[string]any{"Name": "Untold", "Unit": "Count"},
						map[string]any{"Name": "Findings", "Unit": "Count"},
					},
				}},
			}
			if diff := cmp.Diff(any(want), run["_aws"]); diff != "" {
				t.Errorf("_aws (-want +got):\n%s", diff)
			}
			values := []any{run["Repaired"], run["Unrestored"], run["Untold"], run["Findings"], run[catalog.MetricDimension]}
			if diff := cmp.Diff([]any{tt.repaired, tt.unrestored, 0.0, tt.findings, "relight-alarms"}, values); diff != "" {
				t.Errorf("values (-want +got):\n%s", diff)
			}
			for _, l := range lines[:len(lines)-1] {
				if l["_aws"] != nil {
					t.Errorf("a metric in the line %v", l)
				}
			}
		})
	}
}

// The lag is that of the event that waited longest. The log names the first
// event that has an actor.
func TestCauseInTheLog(t *testing.T) {
	direct, later := full().Causes[1], cause
	later.EventID, later.Time = "e-3", cause.Time.Add(time.Second)
	tests := map[string]struct {
		causes []remedy.Cause
		id     string
		lag    float64
	}{
		"with and without an actor": {[]remedy.Cause{later, cause, direct}, "e-1", 3500},
		"without":                   {[]remedy.Cause{direct}, "e-2", 3500},
		"with":                      {[]remedy.Cause{later, cause}, "e-1", 2500},
	}
	for name, tt := range tests {
		r := full()
		r.Causes = tt.causes
		first := tt.causes[0].EventID
		lines, _ := tell(t, report.Reporter{}, r)
		run := lines[len(lines)-1]
		if run["lag_ms"] != tt.lag || run["event_id"] != tt.id || run["events"] != float64(len(tt.causes)) {
			t.Errorf("%s: lag %v ms, event %v of %v; want %v, %s", name, run["lag_ms"], run["event_id"], run["events"], tt.lag, tt.id)
		}
		if tt.causes[0].EventID != first {
			t.Errorf("%s: Record sorted the causes of the report itself", name)
		}
	}
}

func TestMessages(t *testing.T) {
	restored := remedy.Report{Scope: scope, Mode: catalog.Repair, Outcomes: []remedy.Outcome{{Action: put("a")}}}
	failed := remedy.Report{Scope: scope, Mode: catalog.Repair, Outcomes: []remedy.Outcome{{Action: put("a"), Err: denied}}, Remaining: []plan.Action{put("a")}}
	promised := remedy.Report{Scope: scope, Mode: catalog.Repair, Outcomes: []remedy.Outcome{{Action: put("a")}}, Remaining: []plan.Action{put("a")}}
	caused := func(r remedy.Report) remedy.Report {
		r.Causes = []remedy.Cause{cause}
		return r
	}
	found := remedy.Report{Scope: scope, Plan: plan.Plan{Findings: []plan.Finding{plan.NewFinding(plan.AlarmStuck, plan.Args{"alarm": "a"})}, Skips: full().Plan.Skips, Healthy: 3}}
	advised := remedy.Report{Scope: scope, Causes: []remedy.Cause{{EventName: "DeleteLogStream", Advice: "Ask who.", Severity: catalog.High, Names: "trail"}}, Plan: plan.Plan{Touched: []string{"trail"}}}
	const by = " by user/Alice: "
	tests := map[string]struct {
		r       remedy.Report
		subject string // "" sends nothing
	}{
		"restored by a sweep":           {restored, "[relight LOW] 1 protection restored, announced by no event (111122223333 us-east-1)"},
		"restored for an event":         {caused(restored), "[relight LOW] metric filter deleted" + by + "undone (111122223333 us-east-1)"},
		"some of it":                    {full(), "[relight CRITICAL] metric filter deleted by Alice: 2 of 3 NOT restored (111122223333 us-east-1)"},
		"failed for an event":           {caused(failed), "[relight CRITICAL] metric filter deleted" + by + "NOT undone (111122223333 us-east-1)"},
		"failed in a sweep":             {failed, ""},
		"promised to an event":          {caused(promised), "[relight CRITICAL] metric filter deleted" + by + "NOT undone (111122223333 us-east-1)"},
		"promised to every sweep again": {promised, ""},
		"unread for an event":           {unread(), "[relight CRITICAL] metric filter deleted: could not check loggroups (111122223333 us-east-1)"},
		"nothing to do":                 {caused(remedy.Report{Scope: scope}), ""},
		"only findings and skips":       {caused(found), ""},
		"a call to check":               {advised, "[relight HIGH] log stream deleted: please check (111122223333 us-east-1)"},
		"planned only":                  {caused(planned()), ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var box mailbox
			if _, err := tell(t, report.Reporter{Publisher: &box, Topic: topic}, tt.r); err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(box.subjects, "; "); got != tt.subject {
				t.Fatalf("subjects %q, want %q", got, tt.subject)
			}
			if tt.subject != "" && box.topics[0] != topic {
				t.Errorf("sent to %s", box.topics[0])
			}
		})
	}
}

// Source: SNS API Reference, Publish, Subject.
func TestSubjectIsWhatSNSTakes(t *testing.T) {
	r := full()
	r.Scope.Region = "us-northeast-central-10" // longer than any region's name
	for range 10_000 {
		r.Outcomes = append(r.Outcomes, remedy.Outcome{Action: put("x")}, remedy.Outcome{Action: put("x"), Err: denied})
	}
	var box mailbox
	p := report.Reporter{Log: slog.New(slog.DiscardHandler), Publisher: &box, Topic: topic, Now: func() time.Time { return now }}
	if err := p.Notify(t.Context(), nil, r); err != nil {
		t.Fatal(err)
	}
	s := box.subjects[0]
	if len(s) > 100 || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) {
		t.Errorf("subject of %d characters: %q", len(s), s)
	}
}

// A notification that was not sent is an error and a metric, because nobody was
// notified. The error is terminal, because a second run would find nothing to
// report.
func TestUnsentMessageIsAnError(t *testing.T) {
	lost := &remedy.Error{Op: "sns.Publish", Target: topic, Class: remedy.Transient, Err: errors.New("throttled")}
	lines, err := tell(t, report.Reporter{Publisher: &mailbox{err: lost}, Topic: topic}, full())
	if !errors.Is(err, lost) || remedy.ClassOf(err) != remedy.Terminal || !strings.HasPrefix(err.Error(), "notify ") {
		t.Errorf("%v, want it to wrap %v", err, lost)
	}
	if run := lines[len(lines)-1]; run["Untold"] != 1.0 || run["level"] != "ERROR" {
		t.Errorf("run line %v, want it to count an unsent notification", run)
	}
	if _, err := tell(t, report.Reporter{Publisher: nil, Topic: ""}, full()); err != nil {
		t.Errorf("without a topic: %v", err)
	}
}

// The runs of one sweep share a notification, whose lines name their regions.
// The notification leaves out runs that are not worth it.
func TestOneMessageForManyRuns(t *testing.T) {
	other := full()
	other.Scope.Region = "eu-west-1"
	box := &mailbox{}
	err := report.Reporter{Publisher: box, Topic: topic, Now: func() time.Time { return now }}.Notify(t.Context(), nil, full(), other, planned())
	if err != nil || len(box.messages) != 1 {
		t.Fatalf("%d messages, %v; want one", len(box.messages), err)
	}
	if want := "[relight CRITICAL] metric filter deleted by Alice: 4 of 6 NOT restored (111122223333 2 regions)"; box.subjects[0] != want {
		t.Errorf("subject %q, want %q", box.subjects[0], want)
	}
	for _, want := range []string{"Restored: " + scope.Region + ": ", "NOT restored: eu-west-1: ", "Restored: eu-west-1: ", "Needs action: eu-west-1: "} {
		if !strings.Contains(box.messages[0], want) {
			t.Errorf("the message does not say %q:\n%s", want, box.messages[0])
		}
	}
}

// The log line about an unsent notification of a sweep has a metric.
func TestRecordUntold(t *testing.T) {
	var log bytes.Buffer
	p := report.Reporter{Log: slog.New(slog.NewJSONHandler(&log, nil)), Function: "relight-backfill"}
	p.RecordUnsent(t.Context(), errors.New("throttled"), now)
	var line map[string]any
	if err := json.Unmarshal(log.Bytes(), &line); err != nil || line["Untold"] != 1.0 || line["untold"] != "throttled" || line["_aws"] == nil {
		t.Errorf("%v, %v; want one unsent notification", line, err)
	}
}

// Both topics carry what is about one of them or its key, whatever the kind of the
// run, and each notification is an event, which fails nothing.
func TestVoices(t *testing.T) {
	const last, key = topic + "-last", "arn:aws:kms:us-east-1:111122223333:key/k"
	aboutKey := full()
	aboutKey.Plan.Findings = []plan.Finding{plan.NewFinding(plan.TopicKeyUnusable, plan.Args{"key": key, "state": "Disabled"})}
	aboutTopic := full()
	aboutTopic.Plan.Findings = []plan.Finding{plan.NewFinding(plan.TopicNoSubscribers, plan.Args{"topic": topic})}
	ofTopics := full()
	ofTopics.Plan.Findings, ofTopics.Scope.Kind = nil, catalog.Topics
	elsewhere := full()
	elsewhere.Plan.Findings = nil
	refused := errors.New("refused")
	for name, tt := range map[string]struct {
		report  remedy.Report
		refuses []string
		topics  string
		err     bool
	}{
		"another kind":            {elsewhere, nil, topic, false},
		"about the key":           {aboutKey, nil, topic + " " + last, false},
		"about the topic":         {aboutTopic, nil, topic + " " + last, false},
		"of the topics":           {ofTopics, nil, topic + " " + last, false},
		"refused":                 {elsewhere, []string{topic}, topic + " " + last, false},
		"refused by both":         {elsewhere, []string{topic, last}, topic + " " + last, true},
		"refused by the last":     {ofTopics, []string{last}, topic + " " + last, false},
		"refused by the bus":      {elsewhere, []string{"events"}, topic, false},
		"refused by all of those": {ofTopics, []string{"events", topic, last}, topic + " " + last, true},
	} {
		m := &mailbox{refuses: map[string]error{}}
		for _, r := range tt.refuses {
			m.refuses[r] = refused
		}
		lines, err := tell(t, report.Reporter{Publisher: m, Topic: topic, TopicKey: key, Last: last, Function: "relight-alarms"}, tt.report)
		if got := strings.Join(m.topics, " "); got != tt.topics || (err != nil) != tt.err {
			t.Errorf("%s: published to %s, %v; want %s", name, got, err, tt.topics)
		}
		if len(m.kinds) != 1 || m.kinds[0] != catalog.EventNotRestored {
			t.Errorf("%s: events %v", name, m.kinds)
		}
		untold := 0.0
		for _, l := range lines {
			if v, ok := l["Untold"].(float64); ok {
				untold += v
			}
		}
		if (untold > 0) != (len(tt.refuses) > 0) {
			t.Errorf("%s: the metric says %v", name, untold)
		}
	}
}

// An event is never larger than EventBridge accepts.
func TestEventSize(t *testing.T) {
	r := full()
	for range 3000 {
		r.Plan.Findings = append(r.Plan.Findings, plan.NewFinding(plan.TopicNoSubscribers, plan.Args{"topic": strings.Repeat("\"<", 400)}))
	}
	m := &mailbox{}
	if _, err := tell(t, report.Reporter{Publisher: m, Topic: topic, Function: "f"}, r); err != nil {
		t.Fatal(err)
	}
	var d struct{ Text string }
	if err := json.Unmarshal([]byte(m.events[0]), &d); err != nil || len(m.events[0]) > 240_000 || d.Text == "" {
		t.Errorf("%v, %d bytes", err, len(m.events[0]))
	}
}

// An owner's topic carries what the topic of last resort does. What it refuses is a
// finding in the message of relight's own.
func TestFarTopicCarries(t *testing.T) {
	const topic, last, far = "arn:aws:sns:us-east-1:111122223333:first", "arn:aws:sns:us-east-1:111122223333:last", "arn:aws:sns:eu-west-1:444455556666:far"
	of := func(kind catalog.Kind) remedy.Report {
		r := full()
		r.Scope.Kind = kind
		return r
	}
	refused := errors.New("AuthorizationError")
	for name, tt := range map[string]struct {
		kind    catalog.Kind
		last    string
		refuses []string
		topics  string
		finding bool // in the last message
		err     bool
	}{
		"about a flow log":        {catalog.FlowLogs, last, nil, topic, false, false},
		"about a topic":           {catalog.Topics, last, nil, topic + " " + far + " " + last, false, false},
		"about relight itself":    {catalog.Guard, last, nil, topic + " " + far + " " + last, false, false},
		"the first refuses":       {catalog.FlowLogs, last, []string{topic}, topic + " " + far + " " + last, false, false},
		"it refuses":              {catalog.Topics, last, []string{far}, topic + " " + far + " " + last, true, false},
		"only it takes it":        {catalog.FlowLogs, last, []string{topic, last}, topic + " " + far + " " + last, false, false},
		"none takes it":           {catalog.FlowLogs, last, []string{topic, last, far}, topic + " " + far + " " + last, true, true},
		"without a last, refused": {catalog.FlowLogs, "", []string{topic}, topic + " " + far, false, false},
	} {
		m := &mailbox{refuses: map[string]error{}}
		for _, r := range tt.refuses {
			m.refuses[r] = refused
		}
		lines, err := tell(t, report.Reporter{Publisher: m, Topic: topic, Last: tt.last, Far: far, Function: "f"}, of(tt.kind))
		if got := strings.Join(m.topics, " "); got != tt.topics || (err != nil) != tt.err {
			t.Errorf("%s: published to %s, %v; want %s", name, got, err, tt.topics)
		}
		if got := strings.Contains(m.messages[len(m.messages)-1], "[last-topic-refused] topic "+far); got != tt.finding {
			t.Errorf("%s: the last message says that it refused: %t", name, got)
		}
		logged := slices.ContainsFunc(lines, func(l map[string]any) bool { return l["code"] == string(plan.LastTopicRefused) })
		if logged != tt.finding {
			t.Errorf("%s: the log says that it refused: %t", name, logged)
		}
	}
}

// Every topic of relight's own has the form of a chat channel for HTTPS, if one is
// subscribed, and an owner's does not.
func TestChatIsCarried(t *testing.T) {
	const last, far = topic + "-last", "arn:aws:sns:eu-west-1:444455556666:far"
	r := full()
	r.Scope.Kind = catalog.Topics
	for chat, want := range map[bool]string{true: "chat s f chat l", false: "s f l"} {
		m := &mailbox{}
		if _, err := tell(t, report.Reporter{Publisher: m, Topic: topic, Last: last, Far: far, Function: "f", Chat: chat}, r); err != nil {
			t.Fatal(err)
		}
		var got []string
		for i, n := range m.sent {
			if strings.Contains(n.Message, `"https":`) {
				got = append(got, "chat")
			}
			got = append(got, map[string]string{topic: "s", last: "l", far: "f"}[m.topics[i]])
		}
		if strings.Join(got, " ") != want {
			t.Errorf("chat %t: %v, want %s", chat, got, want)
		}
	}
}

// What is about an alarm on relight itself concerns its own voice, also if an earlier run
// restored it.
func TestOwnAlarmsConcern(t *testing.T) {
	for target, want := range map[string]int{"relight-untold": 2, "relight-root-usage": 1} {
		now, before := full(), full()
		now.Outcomes = append(now.Outcomes, remedy.Outcome{Action: plan.PutAlarm{Alarm: plan.Alarm{Name: target}}})
		before.Earlier = append(before.Earlier, remedy.Deed{Thing: "alarm", Target: target})
		for _, r := range []remedy.Report{now, before} {
			r.Scope.Kind = catalog.Alarms
			m := &mailbox{}
			if _, err := tell(t, report.Reporter{Publisher: m, Topic: "first", Last: "last", Alarms: []string{"relight-untold"}, Function: "f"}, r); err != nil || len(m.topics) != want {
				t.Errorf("%s: published to %v, %v; want %d", target, m.topics, err, want)
			}
		}
	}
}

// A digest is short: what needs a person, and nothing of what is well or exempt.
func TestNotifyDaily(t *testing.T) {
	found := func(region, trail string) remedy.Report {
		return remedy.Report{
			Scope: remedy.Scope{Account: scope.Account, Region: region, Kind: catalog.Trails}, Mode: catalog.Repair,
			Plan: plan.Plan{
				Findings: []plan.Finding{plan.NewFinding(plan.TrailMemoryShort, plan.Args{"trail": trail})},
				Skips:    []plan.Skip{{Subject: "vpc-1", Reason: "exempt by configuration"}},
			},
		}
	}
	watched := found("us-west-2", "only-watched")
	watched.Mode = catalog.Observe
	broken := remedy.Report{Scope: scope, Mode: catalog.Repair, Plan: plan.Plan{Actions: []plan.Action{put("relight-b")}}, Outcomes: []remedy.Outcome{{Action: put("relight-b"), Err: denied}}}
	var m mailbox
	p := report.Reporter{Log: slog.New(slog.DiscardHandler), Publisher: &m, Topic: "topic", Now: func() time.Time { return now }}
	for _, reports := range [][]remedy.Report{
		{{Scope: scope, Mode: catalog.Repair}, watched}, // nothing stands
		{found("us-east-1", "audit"), found("us-east-1", "audit"), found("eu-west-1", "second")},
		{broken, watched},
	} {
		if err := p.NotifyDaily(t.Context(), reports...); err != nil {
			t.Error(err)
		}
	}
	var all strings.Builder
	for i, message := range m.messages {
		fmt.Fprintf(&all, "%s\n%s\n", m.subjects[i], message)
	}
	golden(t, "daily.txt", []byte(all.String()))
	if len(m.messages) != 2 {
		t.Errorf("%d messages, want 2", len(m.messages))
	}
}

// A line about an action names the event that most likely led to it, among those of
// one batch.
func TestEventOfAnAction(t *testing.T) {
	at := func(id, actor, event string, seconds int, names ...string) remedy.Cause {
		return remedy.Cause{EventID: id, EventName: event, Actor: actor, Names: remedy.NamesOf(names...), Time: cause.Time.Add(time.Duration(seconds) * time.Second)}
	}
	r := full()
	r.Plan.Actions = []plan.Action{put("relight-a"), put("relight-b"), plan.StartLogging{Trail: "arn:aws:cloudtrail:us-east-1:111122223333:trail/audit"}, put("relight-d")}
	r.Outcomes = []remedy.Outcome{{Action: r.Plan.Actions[0]}, {Action: r.Plan.Actions[1]}, {Action: r.Plan.Actions[2]}, {Action: r.Plan.Actions[3]}}
	r.Causes = []remedy.Cause{
		at("e-b", "bob", "DeleteMetricFilter", 0, "relight-b"),
		at("e-cloudwatch", "", "CloudWatch Alarm Configuration Change", -2, "relight-a"),
		at("e-a", "alice", "DeleteAlarms", -1, "relight-a"),
		at("e-t", "carol", "StopLogging", 1, "audit"),
		at("e-any", "dave", "DeleteFlowLogs", 2),
	}
	lines, _ := tell(t, report.Reporter{}, r)
	for i, want := range []struct {
		target, id, actor string
		lag               float64
	}{
		{"relight-a", "e-a", "alice", 4500},
		{"relight-b", "e-b", "bob", 2500},
		{"arn:aws:cloudtrail:us-east-1:111122223333:trail/audit", "e-t", "carol", 1500},
		{"relight-d", "e-any", "dave", 500}, // which may have harmed anything
	} {
		l := lines[i]
		if l["target"] != want.target || l["event_id"] != want.id || l["actor"] != want.actor || l["lag_ms"] != want.lag || l["events"] != 5.0 {
			t.Errorf("line %v, want %+v", l, want)
		}
	}
}

// What mode observe would do has a line for each action, and none says that it was done.
func TestPlannedInTheLog(t *testing.T) {
	lines, _ := tell(t, report.Reporter{}, planned())
	outcomes := map[any]int{}
	for _, l := range lines {
		if l["msg"] == report.ActionLine {
			outcomes[l["outcome"]]++
		}
	}
	if len(outcomes) != 1 || outcomes[report.Planned] != 3 || lines[len(lines)-1]["outcome"] != report.Planned {
		t.Errorf("outcomes of actions %v, of the run %v", outcomes, lines[len(lines)-1]["outcome"])
	}
}
