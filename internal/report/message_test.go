package report_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/remedy"
	"github.com/relight-aws/relight/internal/report"
)

const (
	intruder = "arn:aws:iam::111122223333:user/intruder"
	trailARN = "arn:aws:cloudtrail:us-east-1:111122223333:trail/audit"
)

// A scene is a message worth a golden file.
type scene struct {
	reports []remedy.Report
	daily   bool
	own     func(remedy.Cause) bool
	refuses bool // the topic refuses the message
}

func of(kind catalog.Kind, region string, actions ...plan.Action) remedy.Report {
	r := remedy.Report{Scope: remedy.Scope{Account: "111122223333", Region: region, Kind: kind}, Mode: catalog.Repair}
	for _, a := range actions {
		r.Plan.Actions = append(r.Plan.Actions, a)
		r.Outcomes = append(r.Outcomes, remedy.Outcome{Action: a})
	}
	return r
}

func by(actor, event string, names ...string) remedy.Cause {
	return remedy.Cause{
		EventID: "4ed3c6a1-0000-4000-8000-000000000001", EventName: event, Names: remedy.NamesOf(names...), Actor: actor, SourceIP: "198.51.100.7",
		Time: time.Date(2026, 3, 3, 12, 18, 4, 0, time.UTC),
	}
}

func after(r remedy.Report, causes ...remedy.Cause) remedy.Report {
	r.Causes = causes
	return r
}

func putAlarm(name string) plan.Action {
	return plan.PutAlarm{Alarm: plan.Alarm{Name: name, Namespace: "relight", Metric: name}, Reason: "it does not exist"}
}

func scenes() map[string]scene {
	var filters []plan.Action
	var deletions []remedy.Cause
	for _, c := range catalog.Controls() {
		filters = append(filters, plan.PutFilter{LogGroup: "CloudTrail/audit", Filter: plan.Filter{Name: "relight-" + c.ID}, Reason: "no filter measures it"})
		d := by("arn:aws:sts::111122223333:assumed-role/Admin/jane@example.com", "DeleteMetricFilter", "CloudTrail/audit")
		d.EventID = fmt.Sprintf("4ed3c6a1-0000-4000-8000-%012d", len(deletions))
		d.Time = d.Time.Add(time.Duration(len(deletions)) * 300 * time.Millisecond)
		deletions = append(deletions, d)
	}
	var storm []remedy.Cause
	var alarms []plan.Action
	for i := range 1000 {
		c := by(intruder, "DeleteAlarms", "relight-"+catalog.Controls()[i%len(catalog.Controls())].ID)
		c.EventID, c.Time = fmt.Sprintf("4ed3c6a1-0000-4000-8001-%012d", i), c.Time.Add(time.Duration(i)*30*time.Millisecond)
		storm = append(storm, c)
	}
	for _, c := range catalog.Controls() {
		alarms = append(alarms, putAlarm("relight-"+c.ID))
	}
	own := by("arn:aws:sts::111122223333:assumed-role/relight-loggroups/relight-loggroups", "PutMetricFilter", "relight-root-usage")
	cloudwatch := remedy.Cause{EventID: "5", EventName: catalog.AlarmChange, Names: "relight-root-usage", Time: by("", "").Time.Add(-time.Second)}

	newVPC := by("arn:aws:sts::111122223333:assumed-role/Deploy/pipeline, through cloudformation.amazonaws.com", "CreateVpc", "vpc-0a1b2c3d")
	newVPC.Makes = true
	first := of(catalog.Alarms, "us-east-1", alarms...)
	first.First = true
	firstFilters := of(catalog.LogGroups, "us-east-1", filters...)
	firstFilters.First = true

	refused := of(catalog.FlowLogs, "eu-west-1")
	create := plan.CreateFlowLog{On: "vpc-0a1b2c3d", Spec: catalog.FlowLogSpec{LogGroup: "relight-flow-logs"}, Reason: "none covers REJECT"}
	refused.Plan.Actions, refused.Remaining = []plan.Action{create}, []plan.Action{create}
	refused.Outcomes = []remedy.Outcome{{Action: create, Err: &remedy.Error{
		Op: "ec2.CreateFlowLogs", Target: "vpc-0a1b2c3d", Class: remedy.Terminal, Hint: "a service control policy denies it",
		Err: errors.New("UnauthorizedOperation: explicit deny"),
	}}}

	unheard := of(catalog.Topics, "us-east-1")
	unheard.Plan.Add(plan.NewFinding(plan.TopicUnconfirmed, plan.Args{"topic": topic}))

	cut := of(catalog.Topics, "us-east-1", plan.SetTopicPolicy{Topic: topic, Reason: "it lacks AllowAlarmsOfThisAccount"})
	cut.Plan.Add(plan.NewFinding(plan.TopicDenied, plan.Args{"topic": topic, "denied": "cloudwatch.amazonaws.com to publish", "statement": `{"Sid":"x"}`, "condition": "{}"}))

	bucket := by("account 444455556666, principal AIDA…", "PutBucketPolicy", "logs-111122223333")
	bucket.Actor, bucket.Advice, bucket.Severity = "principal AIDAEXAMPLE of account 444455556666", "Read its new policy. If the change is wrong, restore the previous policy: aws s3api put-bucket-policy.", catalog.High
	watched := of(catalog.Trails, "us-east-1")
	watched.Plan.Touched = []string{"logs-111122223333"}

	unreadable := of(catalog.Alarms, "us-east-1")
	unreadable.Err = fmt.Errorf("observe alarms: %w", &remedy.Error{Op: "cloudwatch.DescribeAlarms", Target: "us-east-1", Class: remedy.Terminal, Hint: "allow the action in the role's policy", Err: errors.New("AccessDenied: no")})

	stuck := of(catalog.Alarms, "us-east-1")
	stuck.Plan.Add(plan.NewFinding(plan.AlarmStuck, plan.Args{"alarm": "relight-root-usage"}))
	short := of(catalog.Trails, "us-east-1")
	short.Plan.Add(plan.NewFinding(plan.TrailMemoryShort, plan.Args{"trail": "audit"}))

	group := of(catalog.LogGroups, "us-east-1", append([]plan.Action{plan.CreateLogGroup{Name: "CloudTrail/audit", RetentionDays: 365, Reason: "it does not exist; the trail delivers to it"}}, filters...)...)

	muted := of(catalog.Alarms, "us-east-1")
	muted.Plan.Add(plan.NewFinding(plan.RetentionShortened, plan.Args{"group": "vpc-logs", "kept": "for 400 days", "before": "for ever", "key": "us-east-1/vpc-logs"}))

	stormy := after(of(catalog.Alarms, "us-east-1"), by("user/intruder", "DeleteAlarms", "relight-root-usage"), by("user/accomplice", "DeleteAlarms", "relight-iam-changes"))
	stormy.Causes[1].EventID, stormy.More = "4ed3c6a1-0000-4000-8000-000000000002", 563
	for _, c := range catalog.Controls()[:3] {
		stormy.Earlier = append(stormy.Earlier, remedy.Deed{Thing: "alarm", Target: "relight-" + c.ID, Do: "put alarm relight-" + c.ID, Reason: "missing"})
	}
	undone := after(of(catalog.Alarms, "us-east-1"), by("user/accomplice", "DeleteAlarms", "relight-iam-changes"))
	undone.Undone = true
	sent := map[string]scene{
		"retention-shortened": {reports: []remedy.Report{after(muted, by("arn:aws:sts::111122223333:assumed-role/platform-deploy/pipeline", "PutRetentionPolicy", "vpc-logs"))}},
		"trail-stopped":       {reports: []remedy.Report{after(of(catalog.Trails, "us-east-1", plan.StartLogging{Trail: trailARN, Reason: "it does not log"}), by(intruder, "StopLogging", trailARN))}},
		"log-group-deleted":   {reports: []remedy.Report{after(group, by(intruder, "DeleteLogGroup", "CloudTrail/audit"))}},
		"filters-deleted":     {reports: []remedy.Report{after(of(catalog.LogGroups, "us-east-1", filters...), deletions...)}},
		"alarm-deleted":       {reports: []remedy.Report{after(of(catalog.Alarms, "us-east-1", putAlarm("relight-root-usage")), cloudwatch, by(intruder, "DeleteAlarms", "relight-root-usage"))}},
		"alarm-changed":       {reports: []remedy.Report{after(of(catalog.Alarms, "us-east-1", putAlarm("relight-root-usage")), cloudwatch)}},
		"flow-log-deleted":    {reports: []remedy.Report{after(of(catalog.FlowLogs, "eu-west-1", create), by("arn:aws:iam::111122223333:root", "DeleteFlowLogs"))}},
		"new-vpc":             {reports: []remedy.Report{after(of(catalog.FlowLogs, "eu-west-1", create), newVPC)}},
		"first-sweep":         {reports: []remedy.Report{firstFilters, first}},
		"sweep-restored":      {reports: []remedy.Report{of(catalog.Alarms, "us-east-1", putAlarm("relight-root-usage"))}},
		"denied":              {reports: []remedy.Report{after(refused, by(intruder, "DeleteFlowLogs"))}},
		"topic-policy-cut":    {reports: []remedy.Report{after(cut, by(intruder, "SetTopicAttributes", topic))}},
		"guard-rule":          {reports: []remedy.Report{after(of(catalog.Guard, "us-east-1", plan.PutRule{Rule: catalog.Rule{Name: "relight-trails-1"}, Reason: "it is disabled"}), by(intruder, "DisableRule", "relight-trails-1"))}},
		"finding-only":        {reports: []remedy.Report{unheard}},
		"daily-digest":        {reports: []remedy.Report{stuck, short}, daily: true},
		"call-to-check":       {reports: []remedy.Report{after(watched, bucket)}},
		"unreadable":          {reports: []remedy.Report{after(unreadable, by(intruder, "DeleteAlarms", "relight-root-usage"))}},
		"storm-after":         {reports: []remedy.Report{stormy}},
		"storm-undone":        {reports: []remedy.Report{undone}},
		"storm":               {reports: []remedy.Report{after(of(catalog.Alarms, "us-east-1", alarms...), append(storm, own)...)}, own: func(c remedy.Cause) bool { return c.Actor == own.Actor }},
		"refused-by-topic":    {reports: []remedy.Report{after(of(catalog.Trails, "us-east-1", plan.StartLogging{Trail: trailARN, Reason: "it does not log"}), by(intruder, "StopLogging", trailARN))}, refuses: true},
		"restored-in-part":    {reports: []remedy.Report{full()}},
		"hostile":             {reports: []remedy.Report{after(of(catalog.Alarms, "us-east-1", putAlarm("<!channel> $(reboot)\nNow: over")), by("arn:aws:sts::111122223333:assumed-role/r/x`id`\nNow: over", "DeleteAlarms", "a\u202eb\r\n\nReference: none"))}},
	}
	return sent
}

// send sends a scene and returns what the mailbox got.
func send(t *testing.T, s scene) *mailbox {
	t.Helper()
	var box mailbox
	const last = topic + "-last"
	if s.refuses {
		box.refuses = map[string]error{topic: errors.New("KMSDisabled: the key is not enabled")}
	}
	at := time.Date(2026, 3, 3, 12, 18, 42, 0, time.UTC)
	p := report.Reporter{
		Log: discard, Publisher: &box, Topic: topic, Last: last, Now: func() time.Time { return at }, Function: "f", Version: "v1.0.0", Chat: true, Own: s.own,
	}
	fresh := map[remedy.Scope]bool{}
	for _, r := range s.reports {
		fresh[r.Scope] = true
	}
	err := p.Notify(t.Context(), fresh, s.reports...)
	if s.daily {
		box = mailbox{}
		err = p.NotifyDaily(t.Context(), s.reports...)
	}
	if err != nil {
		t.Fatal(err)
	}
	return &box
}

// protocols returns the texts of a message by protocol.
func protocols(t *testing.T, n remedy.Notification) map[string]string {
	t.Helper()
	var by map[string]string
	if err := json.Unmarshal([]byte(n.Message), &by); err != nil || !n.Structured {
		t.Fatalf("%v: %s", err, n.Message)
	}
	return by
}

// What people read, what programs read and what a channel shows of each kind of
// message. Read the differences: somebody gets them at night.
func TestGoldenMessages(t *testing.T) {
	for name, s := range scenes() {
		box := send(t, s)
		i := 0
		if s.refuses {
			i = 1 // the topic of last resort
		}
		n := box.sent[i]
		by := protocols(t, n)
		golden(t, "messages/"+name+".txt", []byte(n.Subject+"\n\n"+by["email"]))
		golden(t, "messages/"+name+".json", indented(t, by["default"]))
		golden(t, "messages/"+name+".chat.json", indented(t, by["https"]))
		if by["sms"] != n.Subject || strings.Contains(by["email"], "\u202e") {
			t.Errorf("%s: %q", name, by)
		}
		checkLimits(t, name, box)
	}
}

// checkLimits checks what SNS and EventBridge refuse.
func checkLimits(t *testing.T, name string, box *mailbox) {
	t.Helper()
	for _, n := range box.sent {
		size := len(n.Subject) + len(n.Message)
		for _, a := range n.Attributes {
			size += len(a.Name) + len("String.Array") + len(a.Text())
			if a.Text() == "" || a.Text() == "[]" || a.Text() == "null" || len(a.Values) == 0 {
				t.Errorf("%s: attribute %s is empty", name, a.Name)
			}
		}
		t.Logf("%s: %d bytes", name, size)
		if size > 262_144 {
			t.Errorf("%s: a message of %d bytes", name, size)
		}
		if s := n.Subject; len(s) > 99 || s == "" || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Errorf("%s: subject of %d characters: %q", name, len(s), s)
		}
		if strings.ToValidUTF8(n.Message, "") != n.Message {
			t.Errorf("%s: the message is no UTF-8", name)
		}
	}
	for _, e := range box.events {
		if len(e) > 240_000 || !json.Valid([]byte(e)) {
			t.Errorf("%s: an event of %d bytes", name, len(e))
		}
	}
}

func indented(t *testing.T, raw string) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := json.Indent(&out, []byte(raw), "", "  "); err != nil {
		t.Fatalf("%v: %s", err, raw)
	}
	return append(out.Bytes(), '\n')
}

// hostile returns a report whose every text is long and chosen to grow when it is
// encoded.
func hostile(kind catalog.Kind, fill string, n int) remedy.Report {
	long := strings.Repeat(fill, 5000/len(fill))
	r := full()
	r.Scope.Kind = kind
	r.Plan.Actions, r.Outcomes, r.Remaining = nil, nil, nil
	for i := range n {
		var a plan.Action = plan.CreateFlowLog{On: fmt.Sprintf("vpc-%d", i) + long, Reason: long}
		if i%2 == 0 {
			a = plan.DeleteFlowLog{ID: long, On: fmt.Sprint(i), Reason: long}
		}
		out := remedy.Outcome{Action: a}
		switch i % 3 {
		case 1:
			out.Err = &remedy.Error{Op: long, Target: long, Class: remedy.Transient, Err: errors.New(long)}
		case 2:
			r.Remaining = append(r.Remaining, a)
		}
		r.Outcomes = append(r.Outcomes, out)
		r.Plan.Skips = append(r.Plan.Skips, plan.Skip{Subject: fmt.Sprint(i), Reason: long})
		r.Plan.Findings = append(r.Plan.Findings, plan.Finding{Code: plan.Code(fmt.Sprint(i)), Subject: fmt.Sprint(i), Problem: long, Remedy: long})
		r.Causes = append(r.Causes, remedy.Cause{
			EventID: fmt.Sprint(i), EventName: long, Names: remedy.NamesOf(fmt.Sprint(i)+long, long), Actor: fmt.Sprint(i) + long, SourceIP: long, Advice: long, Severity: catalog.Low,
		})
	}
	r.Err = errors.New(long)
	return r
}

// However much there is to say, and whatever callers chose for names, a message fits
// SNS and an event EventBridge, and says how much it leaves out.
func TestWorstMessageFits(t *testing.T) {
	for _, fill := range []string{`"\`, "\x00\n", "ä", "\U0001F600", "<&>", "\xff", "a"} {
		box := send(t, scene{reports: []remedy.Report{hostile(catalog.Guard, fill, 300), hostile(catalog.Topics, fill, 300)}, refuses: true})
		checkLimits(t, fmt.Sprintf("%q", fill), box)
		n := box.sent[1]
		by := protocols(t, n)
		var d report.Document
		if err := json.Unmarshal([]byte(by["default"]), &d); err != nil || !d.Truncated || d.Counts.Findings < 300 || d.Text != by["email"] {
			t.Errorf("%q: %v, %+v", fill, err, d.Counts)
		}
		for _, want := range []string{" more, in the log", "NOT restored: ", "Needs action: ", "Reference: "} {
			if !strings.Contains(by["email"], want) {
				t.Errorf("%q: the text lacks %q", fill, want)
			}
		}
	}
}

// The caller of an API writes a part of the text and must not be able to forge
// lines.
func TestTextCannotBeForged(t *testing.T) {
	forged := "x\nNow: over\r\x1b[2J\u2028\u202e"
	r := after(of(catalog.Alarms, "us-east-1", putAlarm(forged)), by(forged, forged, forged))
	r.Causes[0].SourceIP, r.Causes[0].EventID = forged, forged
	r.Plan.Skips = []plan.Skip{{Subject: forged}}
	r.Plan.Add(plan.Finding{Code: plan.TopicDenied, Subject: forged, Problem: forged, Remedy: forged})
	box := send(t, scene{reports: []remedy.Report{r}})
	text := box.messages[0]
	if strings.ContainsAny(text, "\r\x1b\u2028\u202e") || strings.Count(text, "\nNow: ") != 1 {
		t.Errorf("%q", text)
	}
}

// However long the names are that a caller chose, the text says who made the call, from
// where and when.
func TestCauseIsComplete(t *testing.T) {
	long := strings.Repeat("ä", 600)
	c := by("arn:aws:iam::111122223333:user/"+long+"/mallory", "DeleteAlarms", "a"+long, "b"+long)
	c.SourceIP, c.Advice = long, "Read its new policy."
	r := after(of(catalog.Alarms, "us-east-1"), c)
	r.Plan.Touched = []string{"a" + long}
	text := send(t, scene{reports: []remedy.Report{r}}).messages[0]
	for _, want := range []string{"What: DeleteAlarms of aä", "Who: arn:aws:iam::111122223333:user/ä", "/mallory from ä", "When: 2026-03-03 12:18:04 UTC", ": Read its new policy.\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q lacks %q", text, want)
		}
	}
}

// A command in a message has no value that a shell could read as more than a word.
func TestCommandsAreSafe(t *testing.T) {
	for _, actor := range []string{
		"arn:aws:iam::111122223333:user/$(reboot)", "arn:aws:sts::111122223333:assumed-role/a;b/c", "arn:aws:sts::111122223333:assumed-role/a/b`id`",
		`SAML user "a; reboot" of idp`, "", "x", "arn:aws:iam::111122223333:user/", "arn:aws:sts::111122223333:assumed-role/a",
	} {
		text := send(t, scene{reports: []remedy.Report{after(of(catalog.Alarms, "us-east-1", putAlarm("a")), by(actor, "Delete;Alarms", "$(id)"))}}).messages[0]
		for l := range strings.SplitSeq(text, "\n") {
			if command := strings.Contains(l, "aws "); command && strings.HasPrefix(l, "If nobody planned it") && (strings.ContainsAny(l, "`$") || strings.Contains(l, "a;b") || strings.Contains(l, "Delete;")) {
				t.Errorf("%q: %s", actor, l)
			}
		}
	}
}

// The severity of a message is the worst of its parts.
func TestSeverityOfMessages(t *testing.T) {
	five := of(catalog.Alarms, "us-east-1")
	for i := range catalog.Bulk {
		five.Outcomes = append(five.Outcomes, remedy.Outcome{Action: putAlarm(fmt.Sprint("a", i))})
	}
	ownAlarm := of(catalog.Alarms, "us-east-1", putAlarm("relight-untold"))
	low := plan.NewFinding(plan.AlarmHistoryUnread, nil)
	critical := plan.NewFinding(plan.TopicKeyUnusable, nil)
	with := func(f plan.Finding) remedy.Report {
		r := of(catalog.Alarms, "us-east-1")
		r.Plan.Add(f)
		return r
	}
	check := by(intruder, "X")
	check.Advice, check.Severity = "Check.", catalog.High
	made := by(intruder, "CreateVpc", "vpc-1")
	made.Makes = true
	flowLog := plan.CreateFlowLog{On: "vpc-1", Reason: "none"}
	other := plan.CreateFlowLog{On: "vpc-2", Reason: "none"}
	first := of(catalog.Guard, "us-east-1", putAlarm("a"))
	first.First = true
	tests := map[string]struct {
		reports []remedy.Report
		want    catalog.Severity
	}{
		"an alarm":                {[]remedy.Report{of(catalog.Alarms, "us-east-1", putAlarm("a"))}, catalog.Low},
		"many alarms":             {[]remedy.Report{five}, catalog.High},
		"one less":                {[]remedy.Report{{Scope: five.Scope, Mode: catalog.Repair, Outcomes: five.Outcomes[1:]}}, catalog.Low},
		"an alarm on relight":     {[]remedy.Report{ownAlarm}, catalog.Critical},
		"the trail":               {[]remedy.Report{of(catalog.Trails, "us-east-1", plan.StartLogging{Trail: trailARN})}, catalog.High},
		"a log group":             {[]remedy.Report{of(catalog.FlowLogs, "us-east-1", plan.CreateLogGroup{Name: "g"})}, catalog.High},
		"a flow log":              {[]remedy.Report{of(catalog.FlowLogs, "us-east-1", flowLog)}, catalog.Low},
		"of a new VPC":            {[]remedy.Report{after(of(catalog.FlowLogs, "us-east-1", flowLog, plan.CreateLogGroup{Name: "g"}), made)}, catalog.Info},
		"of a VPC beside it":      {[]remedy.Report{after(of(catalog.FlowLogs, "us-east-1", flowLog, other), made)}, catalog.Low},
		"new, and deleted":        {[]remedy.Report{after(of(catalog.FlowLogs, "us-east-1", flowLog), made, by(intruder, "DeleteFlowLogs"))}, catalog.Low},
		"relight itself":          {[]remedy.Report{of(catalog.Guard, "us-east-1", putAlarm("a"))}, catalog.Critical},
		"the first sweep":         {[]remedy.Report{first}, catalog.Info},
		"failed":                  {[]remedy.Report{full()}, catalog.Critical},
		"unread":                  {[]remedy.Report{unread()}, catalog.Critical},
		"a low finding":           {[]remedy.Report{with(low)}, catalog.Low},
		"a critical finding":      {[]remedy.Report{with(low), with(critical)}, catalog.Critical},
		"a call to check":         {[]remedy.Report{after(of(catalog.Alarms, "us-east-1"), check)}, catalog.High},
		"somebody accepted":       {[]remedy.Report{of(catalog.LogGroups, "us-east-1", plan.Forget{What: "w"})}, catalog.Low},
		"the worst of two":        {[]remedy.Report{of(catalog.Alarms, "us-east-1", putAlarm("a")), first, with(critical)}, catalog.Critical},
		"nothing bad in the best": {[]remedy.Report{first, first}, catalog.Info},
	}
	for name, tt := range tests {
		box := &mailbox{}
		p := report.Reporter{Log: discard, Publisher: box, Topic: topic, Now: func() time.Time { return now }, Alarms: []string{"relight-untold"}}
		fresh := map[remedy.Scope]bool{}
		for _, r := range tt.reports {
			fresh[r.Scope] = true
		}
		if err := p.Notify(t.Context(), fresh, tt.reports...); err != nil {
			t.Fatal(err)
		}
		got := box.sent[0].Attributes[slices.IndexFunc(box.sent[0].Attributes, func(a remedy.Attribute) bool { return a.Name == "severity" })].Text()
		if got != string(tt.want) {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
	}
}

// Filter policies see what the document says.
func TestAttributes(t *testing.T) {
	s := scenes()["topic-policy-cut"]
	box := send(t, s)
	got := map[string]string{}
	for _, a := range box.sent[0].Attributes {
		got[a.Name] = a.Text()
	}
	want := map[string]string{
		"severity": "high", "kind": `["topics"]`, "account": "111122223333", "region": `["us-east-1"]`, "actor": `["` + intruder + `"]`, "outcome": "restored",
		"code": `["topic-denied"]`,
	}
	if len(got) != len(want) {
		t.Errorf("%v", got)
	}
	for k, v := range want {
		if got[k] != v {
			t.Errorf("%s is %s, want %s", k, got[k], v)
		}
	}
	if box.kinds[0] != catalog.EventRestored || box.events[0] == "" {
		t.Errorf("the event is %v", box.kinds)
	}
}

// What another run is about to restore is not said to be unrestored.
func TestNotRestoredTooSoon(t *testing.T) {
	busy := &remedy.Error{Op: "cloudwatch.PutMetricAlarm", Target: "a", Class: remedy.Transient, Err: errors.New("Throttling")}
	c := by(intruder, "DeleteAlarms", "a")
	base := func() remedy.Report { return after(of(catalog.Alarms, "us-east-1", putAlarm("a"), putAlarm("b")), c) }
	again := func(r remedy.Report) remedy.Report {
		r.Again = true
		return r
	}
	fails := func(r remedy.Report, i int, err error) remedy.Report {
		r.Outcomes[i].Err = err
		r.Remaining = append(r.Remaining, r.Outcomes[i].Action)
		return r
	}
	with := func(r remedy.Report, left ...plan.Action) remedy.Report {
		r.Remaining = append(r.Remaining, left...)
		return r
	}
	unread := func(r remedy.Report, err error) remedy.Report {
		r.Outcomes, r.Plan.Actions, r.Err = nil, nil, err
		return r
	}
	advised := func(r remedy.Report) remedy.Report {
		r.Causes = slices.Clone(r.Causes)
		r.Causes[0].Advice = "Check."
		return r
	}
	makes := after(of(catalog.Trails, "us-east-1", plan.CreateTrail{Trail: plan.Trail{ARN: trailARN}}), c)
	tests := map[string]struct {
		r    remedy.Report
		want string // outcome; "" for no message
	}{
		"another alarm was deleted meanwhile":     {with(base(), putAlarm("c")), "restored"},
		"its own does not come back":              {with(base(), putAlarm("a")), "not_restored"},
		"what it made needs a setting":            {with(makes, plan.StartLogging{Trail: trailARN}), "not_restored"},
		"one fails for now, and comes again":      {again(fails(base(), 1, busy)), "restored"},
		"one fails for now, for the second time":  {fails(base(), 1, busy), "not_restored"},
		"one fails for good":                      {again(fails(base(), 1, denied)), "not_restored"},
		"all fail for now, and come again":        {again(fails(fails(base(), 1, busy), 0, busy)), ""},
		"unread for now, and comes again":         {again(unread(base(), busy)), ""},
		"unread for now, for the second time":     {unread(base(), busy), "not_restored"},
		"unread for now, and a call to check":     {again(advised(unread(base(), busy))), "not_restored"},
		"a sweep does not come again":             {fails(after(base()), 1, busy), "not_restored"},
		"a sweep sees another deleted meanwhile":  {with(after(base()), putAlarm("c")), "not_restored"},
		"nothing was tried, and something is off": {with(unread(base(), nil), putAlarm("c")), "not_restored"},
	}
	for name, tt := range tests {
		box := &mailbox{}
		p := report.Reporter{Log: discard, Publisher: box, Topic: topic, Now: func() time.Time { return now }}
		if err := p.Notify(t.Context(), nil, tt.r); err != nil {
			t.Fatal(err)
		}
		got := ""
		if len(box.sent) > 0 {
			var d report.Document
			if err := json.Unmarshal([]byte(protocols(t, box.sent[0])["default"]), &d); err != nil {
				t.Fatal(err)
			}
			got = string(d.Outcome)
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

// relight does not send what no subscriber asked for, and everything critical goes to all
// topics where a subscription filters. The events have all of it.
func TestWhoAsked(t *testing.T) {
	const last = topic + "-last"
	for name, tt := range map[string]struct {
		minimum catalog.Severity
		filters bool
		topics  []string
	}{
		"new-vpc":          {"low", false, nil}, // info
		"flow-log-deleted": {"low", true, []string{topic}},
		"trail-stopped":    {"high", true, []string{topic}},
		"alarm-deleted":    {"high", false, nil},
		"denied":           {"critical", true, []string{topic, last}},
	} {
		var box mailbox
		p := report.Reporter{
			Log: discard, Publisher: &box, Topic: topic, Last: last, Now: time.Now, Function: "f", Minimum: tt.minimum, Filters: tt.filters,
		}
		fresh := map[remedy.Scope]bool{}
		for _, r := range scenes()[name].reports {
			fresh[r.Scope] = true
		}
		if err := p.Notify(t.Context(), fresh, scenes()[name].reports...); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(box.topics, tt.topics) || len(box.events) != 1 {
			t.Errorf("%s went to %v with %d events, want %v", name, box.topics, len(box.events), tt.topics)
		}
	}
}
