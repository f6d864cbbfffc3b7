package app_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	cloudtrailtypes "github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/relight-aws/relight/internal/app"
	"github.com/relight-aws/relight/internal/audit"
	"github.com/relight-aws/relight/internal/catalog"
)

// audited audits a world for some frameworks.
func (w *world) audited(strict bool, frameworks ...string) audit.Report {
	w.t.Helper()
	req := app.AuditRequest{Strict: strict}
	for _, id := range frameworks {
		f, known := catalog.FrameworkByID(id)
		if !known {
			w.t.Fatalf("no framework %s", id)
		}
		req.Frameworks = append(req.Frameworks, f)
	}
	return w.auditBy(req)
}

func (w *world) auditBy(req app.AuditRequest) audit.Report {
	w.t.Helper()
	rep, err := w.app(catalog.Backfill).Audit(w.t.Context(), req, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(must(json.Marshal(rep))))
	if err == nil {
		err = reportSchema().Validate(doc)
	}
	if err != nil {
		w.t.Errorf("the report does not follow its schema: %v", err)
	}
	return rep
}

// reportSchema is the schema of reports that is published.
var reportSchema = sync.OnceValue(func() *jsonschema.Schema {
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	return c.MustCompile("../../docs/audit.schema.json")
})

// broken returns what does not pass, one line for each link: "root-usage filter".
func broken(rep audit.Report) (lines []string) {
	for _, c := range rep.Checks {
		if c.Status != audit.Pass {
			line := strings.TrimSpace(c.Control+" "+c.Resource) + ": " + string(c.Broken)
			if c.Status != audit.Fail {
				line += " " + string(c.Status)
			}
			lines = append(lines, line)
		}
		failed := 0
		for _, s := range c.Steps {
			if s.Status == audit.Fail || s.Status == audit.Unknown {
				failed++
			}
		}
		if failed > 1 {
			lines = append(lines, fmt.Sprintf("%s names %d links", c.Control, failed))
		}
		if c.Broken != "" && (c.Problem == "" || c.Remedy == "" || c.Command == "") {
			lines = append(lines, c.Control+" has no problem, remedy or command")
		}
	}
	slices.Sort(lines)
	return slices.Compact(lines)
}

// Everything passes in an account that relight has just protected, for each
// framework, and also with the texts that Security Hub prints.
func TestAuditPasses(t *testing.T) {
	t.Parallel()
	w := healthy(t, "")
	for _, f := range catalog.Frameworks() {
		rep := w.audited(true, f.ID)
		if got := broken(rep); len(got) > 0 || !rep.Passed() {
			t.Errorf("%s: %v", f.ID, got)
		}
		want := 3 // VPCs
		for _, c := range catalog.Controls() {
			if len(f.Requires(c.ID)) > 0 {
				want++
			}
		}
		if rep.Totals[audit.Pass] != want || len(rep.Checks) != want || rep.Frameworks[0].Totals[audit.Pass] != want {
			t.Errorf("%s: %d of %d checks pass, want %d", f.ID, rep.Totals[audit.Pass], len(rep.Checks), want)
		}
	}
}

// controlsAt returns a line for each monitoring control of CIS 5.0.
func controlsAt(link audit.Link, status string) (lines []string) {
	f, _ := catalog.FrameworkByID("cis-5.0")
	for _, c := range catalog.Controls() {
		if len(f.Requires(c.ID)) > 0 {
			lines = append(lines, strings.TrimSpace(c.ID+": "+string(link)+" "+status))
		}
	}
	slices.Sort(lines)
	return lines
}

// Each breakage is named by its link, and by that only, in the controls that it
// breaks.
func TestAuditNamesTheLink(t *testing.T) {
	t.Parallel()
	rootAlarm := func(change func(*cloudwatch.PutMetricAlarmInput)) func(*world) {
		return func(w *world) {
			in := alarmOn("relight-root-usage", "relight", "relight-root-usage", w.topic)
			change(in)
			w.putAlarm(in)
		}
	}
	rootFilter := func(change func(*logstypes.MetricFilter)) func(*world) {
		return func(w *world) {
			f := filterOf("relight-root-usage", controlOf("root-usage").Pattern, "relight", "relight-root-usage")
			change(&f)
			w.putFilter(trailGroup, f)
		}
	}
	root := func(link audit.Link) []string { return []string{"root-usage: " + string(link)} }
	breakages := map[string]struct {
		do   func(*world)
		want []string
	}{
		"no trail":      {func(w *world) { w.deleteTrail("audit") }, controlsAt(audit.Trail, "")},
		"trail stopped": {func(w *world) { w.stopLogging("audit") }, controlsAt(audit.Logging, "")},
		"one region":    {func(w *world) { w.updateTrail(cloudtrail.UpdateTrailInput{IsMultiRegionTrail: aws.Bool(false)}) }, controlsAt(audit.Trail, "")},
		"writes only": {func(w *world) {
			w.putSelectors("audit", cloudtrailtypes.EventSelector{ReadWriteType: cloudtrailtypes.ReadWriteTypeWriteOnly, IncludeManagementEvents: aws.Bool(true)})
		}, controlsAt(audit.Events, "")},
		"no group on it": {func(w *world) {
			w.updateTrail(cloudtrail.UpdateTrailInput{CloudWatchLogsLogGroupArn: aws.String(""), CloudWatchLogsRoleArn: aws.String("")})
		}, controlsAt(audit.LogGroup, "")},
		"group deleted":  {func(w *world) { w.deleteGroup(home, trailGroup) }, controlsAt(audit.LogGroup, "")},
		"filter deleted": {func(w *world) { w.deleteFilter("relight-root-usage") }, root(audit.Filter)},
		"filter narrowed": {rootFilter(func(f *logstypes.MetricFilter) {
			f.FilterPattern = aws.String(strings.Replace(*f.FilterPattern, "}", `&& $.eventName != "X" }`, 1))
		}), root(audit.Filter)},
		"filter dimension": {rootFilter(func(f *logstypes.MetricFilter) { f.MetricTransformations[0].Dimensions = map[string]string{"a": "$.b"} }), root(audit.Filter)},
		"filter's value":   {rootFilter(func(f *logstypes.MetricFilter) { f.MetricTransformations[0].MetricValue = aws.String("0") }), root(audit.Filter)},
		"other namespace":  {rootFilter(func(f *logstypes.MetricFilter) { f.MetricTransformations[0].MetricNamespace = aws.String("other") }), root(audit.Alarm)},
		"alarm deleted":    {func(w *world) { w.deleteAlarms("relight-root-usage") }, root(audit.Alarm)},
		"alarm threshold":  {rootAlarm(func(in *cloudwatch.PutMetricAlarmInput) { in.Threshold = aws.Float64(1000) }), root(audit.Alarm)},
		"alarm on another": {rootAlarm(func(in *cloudwatch.PutMetricAlarmInput) { in.MetricName = aws.String("other") }), root(audit.Alarm)},
		"actions disabled": {rootAlarm(func(in *cloudwatch.PutMetricAlarmInput) { in.ActionsEnabled = aws.Bool(false) }), root(audit.Actions)},
		"no action":        {rootAlarm(func(in *cloudwatch.PutMetricAlarmInput) { in.AlarmActions = nil }), root(audit.Actions)},
		"topic gone":       {func(w *world) { w.deleteTopic() }, controlsAt(audit.Topic, "")},
		"topic denies": {func(w *world) {
			w.setTopic("Policy", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"sns:Publish","Resource":"`+w.topic+`"}]}`)
		}, controlsAt(audit.Topic, "")},
		"topic's key":      {func(w *world) { w.SetKeyState(topicKey, kmstypes.KeyStateDisabled) }, controlsAt(audit.Topic, "")},
		"no subscriber":    {func(w *world) { w.unsubscribeAll() }, controlsAt(audit.Subscriber, "")},
		"filter policy":    {func(w *world) { w.filterAll() }, controlsAt(audit.Subscriber, "")},
		"flow log deleted": {func(w *world) { w.deleteFlowLogs(home, "vpc-1") }, []string{"vpc-flow-logs vpc-1: flow log"}},
		"accepted only":    {func(w *world) { w.deleteFlowLogs(home, "vpc-1"); w.createFlowLog(home, "vpc-1", "ACCEPT", theirGroup) }, []string{"vpc-flow-logs vpc-1: flow log"}},
		"not delivering":   {func(w *world) { w.FailDelivery(second, "vpc-3", "Access error") }, []string{"vpc-flow-logs vpc-3: delivery"}},
		"retention":        {func(w *world) { w.putRetention(second, "relight-flow-logs", 30) }, []string{"vpc-flow-logs vpc-3: retention"}},
		"flow log group":   {func(w *world) { w.deleteGroup(second, "relight-flow-logs") }, []string{"vpc-flow-logs vpc-3: destination"}},
	}
	if len(breakages) < 15 {
		t.Errorf("%d breakages", len(breakages))
	}
	for name, b := range breakages {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := healthy(t, "")
			b.do(w)
			got := broken(w.audited(false, "cis-5.0"))
			if !slices.Equal(got, b.want) {
				t.Errorf("broken: %q\nwant: %q", got, b.want)
			}
			w.PageSize(0)
			w.sweepAll()
			if got := broken(w.audited(false, "cis-5.0")); len(got) > 0 && !slices.Contains(unrepaired, name) {
				t.Errorf("after a sweep: %q", got)
			}
		})
	}
}

// unrepaired are the breakages that relight reports and does not repair.
var unrepaired = []string{"not delivering"}

// withData records data events too, so that the trail's selectors have to be read.
var withData = cloudtrailtypes.EventSelector{
	ReadWriteType: cloudtrailtypes.ReadWriteTypeAll, IncludeManagementEvents: aws.Bool(true),
	DataResources: []cloudtrailtypes.DataResource{{Type: aws.String("AWS::S3::Object"), Values: []string{"arn:aws:s3:::ledger/"}}},
}

// What cannot be read is unknown, with the permission, and the audit finishes.
func TestAuditUnread(t *testing.T) {
	t.Parallel()
	flows := []string{"vpc-flow-logs: flow log unknown"}
	for op, tt := range map[string]struct {
		action string
		want   []string
	}{
		"DescribeTrails":            {"cloudtrail:DescribeTrails", controlsAt(audit.Trail, "unknown")},
		"GetTrailStatus":            {"cloudtrail:GetTrailStatus", controlsAt(audit.Logging, "unknown")},
		"GetEventSelectors":         {"cloudtrail:GetEventSelectors", controlsAt(audit.Events, "unknown")},
		"DescribeMetricFilters":     {"logs:DescribeMetricFilters", controlsAt(audit.LogGroup, "unknown")},
		"DescribeAlarms":            {"cloudwatch:DescribeAlarms", controlsAt(audit.Alarm, "unknown")},
		"GetTopicAttributes":        {"sns:GetTopicAttributes", controlsAt(audit.Topic, "unknown")},
		"GetKeyPolicy":              {"kms:GetKeyPolicy", controlsAt(audit.Topic, "unknown")},
		"ListSubscriptionsByTopic":  {"sns:ListSubscriptionsByTopic", controlsAt(audit.Subscriber, "unknown")},
		"GetSubscriptionAttributes": {"sns:GetSubscriptionAttributes", controlsAt(audit.Subscriber, "unknown")},
		"DescribeVpcs":              {"ec2:DescribeVpcs", flows},
		"DescribeFlowLogs":          {"ec2:DescribeFlowLogs", flows},
		"DescribeRegions":           {"ec2:DescribeRegions", flows},
		"DescribeLogGroups":         {"logs:DescribeLogGroups", []string{"vpc-flow-logs vpc-1: destination unknown", "vpc-flow-logs vpc-2: destination unknown", "vpc-flow-logs vpc-3: destination unknown"}},
	} {
		t.Run(op, func(t *testing.T) {
			t.Parallel()
			w := healthy(t, "")
			w.putSelectors("audit", withData)
			w.Deny(op)
			rep := w.audited(false, "cis-5.0")
			if got := broken(rep); !slices.Equal(got, tt.want) {
				t.Errorf("broken: %q\nwant: %q", got, tt.want)
			}
			if rep.Passed() {
				t.Error("unknown passes")
			}
			if !slices.ContainsFunc(rep.Unread, func(m audit.Missing) bool { return m.Action == tt.action }) || !strings.Contains(fmt.Sprint(rep.Checks), tt.action) {
				t.Errorf("%s is not named: %+v", tt.action, rep.Unread)
			}
		})
	}
}

// The policy that the command prints is what audits use: no action less, and none
// more. An audit writes nothing.
func TestAuditActions(t *testing.T) {
	t.Parallel()
	used := map[string]bool{}
	for _, configuration := range []string{
		"", `{"subscribers":[{"protocol":"sqs","endpoint":"arn:aws:sqs:us-east-1:111122223333:alerts"}]}`,
		`{"subscribers":[{"protocol":"lambda","endpoint":"arn:aws:lambda:us-east-1:111122223333:function:pager"}]}`,
	} {
		w := healthy(t, configuration)
		w.putSelectors("audit", withData)
		before, writes := w.Calls(), len(w.Writes())
		w.audited(false, "cis-5.0")
		w.auditBy(app.AuditRequest{Frameworks: catalog.Frameworks()[:1], Transit: true, Regions: []string{home}})
		for op := range w.Calls().Since(before) {
			used[op] = true
		}
		if len(w.Writes()) != writes {
			t.Errorf("an audit wrote %v", w.Writes()[writes:])
		}
	}
	for _, action := range catalog.AuditActions {
		_, op, _ := strings.Cut(action, ":")
		if !used[op] {
			t.Errorf("%s is not used", action)
		}
		delete(used, op)
	}
	if len(used) > 0 {
		t.Errorf("the policy lacks %v", used)
	}
}

// Transit gateways are listed on request, with their flow logs; no check is about them.
func TestAuditTransitGateways(t *testing.T) {
	t.Parallel()
	w := healthy(t, "")
	w.AddNetwork(home, "tgw-1", nil)
	w.AddNetwork(home, "tgw-2", nil)
	w.AddNetwork(second, "tgw-3", nil)
	w.OnTransit(home, "tgw-2")
	checks := len(w.audited(false, "cis-5.0").Checks)
	request := app.AuditRequest{Frameworks: catalog.Frameworks(), Transit: true}
	rep := w.auditBy(request)
	var got []string
	for _, g := range rep.Transit {
		got = append(got, g.String())
	}
	want := []string{
		"transit gateway tgw-3 in eu-west-1: no flow log", "transit gateway tgw-1 in us-east-1: no flow log", "transit gateway tgw-2 in us-east-1: flow log fl-of-tgw-2",
	}
	if diff := cmp.Diff(want, got); diff != "" || strings.Contains(fmt.Sprint(rep.Checks), "tgw") || checks == 0 {
		t.Errorf("transit gateways (-want +got):\n%s", diff)
	}
	w.Deny("DescribeTransitGateways")
	if rep := w.auditBy(request); len(rep.Transit) != 2 || !strings.Contains(rep.Transit[0].String(), "could not be read: ec2.DescribeTransitGateways") || !rep.Passed() {
		t.Errorf("unread: %v", rep.Transit)
	}
}

// An audit reads a region in at most 12 calls, however many VPCs it has; a trail with
// selectors of its own takes one more, and a subscriber that is a queue two. The list of
// regions is one call for all of them.
func TestAuditBudget(t *testing.T) {
	t.Parallel()
	const most = 12
	count := func(w *world, regions int) {
		t.Helper()
		w.PageSize(0)
		before := w.Calls()
		w.audited(false, "cis-5.0")
		used := w.Calls().Since(before)
		if n := used.Total("DescribeRegions"); n > most*regions {
			t.Errorf("%d calls for %d regions, want at most %d: %v", n, regions, most*regions, used)
		}
	}
	one := deployed(t, `{"subscribers":[{"protocol":"email","endpoint":"security@example.com"}]}`)
	one.AddRegion(second, "not-opted-in")
	one.putSelectors("audit", cloudtrailtypes.EventSelector{
		ReadWriteType: cloudtrailtypes.ReadWriteTypeAll, IncludeManagementEvents: aws.Bool(true),
		DataResources: []cloudtrailtypes.DataResource{}, ExcludeManagementEventSources: []string{},
	})
	one.PageSize(0)
	one.sweepAll()
	count(one, 1)
	many := healthy(t, "")
	for i := range 15 {
		name := fmt.Sprintf("xx-test-%d", i+1)
		many.AddRegion(name, "opted-in")
		var ids []string
		for k := range 66 {
			ids = append(ids, fmt.Sprintf("vpc-%d-%d", i, k))
		}
		many.AddVPC(name, ids...)
	}
	many.PageSize(0)
	many.sweepAll()
	count(many, 17)
}

// What others wrote for a control passes, if it means the same or more; with --strict
// only the text that Security Hub prints.
func TestAuditOfOthers(t *testing.T) {
	t.Parallel()
	const reordered = `{($.eventType!="AwsServiceEvent")&&($.userIdentity.type=Root)&&($.userIdentity.invokedBy NOT EXISTS)}`
	for _, row := range []struct {
		framework string
		strict    bool
		control   string
		pattern   string
		pass      bool
	}{
		{"cis-5.0", false, "root-usage", reordered, true},
		{"security-hub", false, "root-usage", reordered, true},
		{"security-hub", true, "root-usage", reordered, false},
		{"cis-5.0", false, "root-usage", `{ $.userIdentity.type = "Root" }`, true},
		{"cis-5.0", false, "root-usage", `{ $.eventName = * }`, false},
		{"cis-5.0", false, "iam-changes", `{ $.eventName != "DescribeUnrelated" && $.eventName != "Get*" }`, false},
		{"cis-5.0", false, "iam-changes", strings.Replace(controlOf("iam-changes").Pattern, "{", "{ ($.eventName = RunInstances) ||", 1), true},
		{"security-hub", false, "security-group-changes-securityhub", strings.ReplaceAll(controlOf("security-group-changes-securityhub").Pattern, " = ", "="), true},
		{"security-hub", true, "security-group-changes-securityhub", strings.ReplaceAll(controlOf("security-group-changes-securityhub").Pattern, " = ", "="), false},
		{"cis-5.0", false, "security-group-changes", controlOf("security-group-changes-securityhub").Pattern, false},
		{"cis-4.0", false, "security-group-changes", controlOf("security-group-changes-securityhub").Pattern, true},
		{"cis-1.4", false, "unauthorized-api-calls", `{ ($.errorCode = "*UnauthorizedOperation") || ($.errorCode = "AccessDenied*") || ($.sourceIPAddress!="delivery.logs.amazonaws.com") || ($.eventName!="HeadBucket") }`, true},
		{"cis-3.0", false, "unauthorized-api-calls", `{ ($.errorCode = "*UnauthorizedOperation") || ($.errorCode = "AccessDenied*") || ($.sourceIPAddress!="delivery.logs.amazonaws.com") || ($.eventName!="HeadBucket") }`, false},
		{"cis-5.0", false, "console-signin-without-mfa", `{ ($.eventName = "ConsoleLogin") && ($.additionalEventData.MFAUsed != "Yes") && ($.userIdentity.type = "IAMUser") && ($.responseElements.ConsoleLogin = "Success") }`, true},
		{"cis-1.2", false, "console-signin-without-mfa", `{ ($.eventName = "ConsoleLogin") && ($.additionalEventData.MFAUsed != "Yes") && ($.userIdentity.type = "IAMUser") && ($.responseElements.ConsoleLogin = "Success") }`, false},
	} {
		w := deployed(t, "")
		topic := w.AddTopic(home, "theirs", 1)
		w.putFilter(trailGroup, filterOf("theirs", row.pattern, "CIS", "x"))
		w.putAlarm(alarmOn("theirs", "CIS", "x", topic))
		rep := w.audited(row.strict, row.framework)
		i := slices.IndexFunc(rep.Checks, func(c audit.Check) bool { return c.Control == row.control })
		if got := rep.Checks[i].Status == audit.Pass; got != row.pass {
			t.Errorf("%s, strict %t: %s passes for %s: %t, want %t (%s)", row.framework, row.strict, row.pattern, row.control, got, row.pass, rep.Checks[i].Problem)
		}
	}
}

// A member of an organisation has no chain of its own: its flow logs count.
func TestAuditOfMember(t *testing.T) {
	t.Parallel()
	w := member(t)
	rep := w.audited(false, "cis-5.0")
	if rep.Totals[audit.NotApplicable] != 15 || rep.Totals[audit.Fail] == 0 {
		t.Errorf("totals %v", rep.Totals)
	}
}

// member returns an account of an organisation, whose trail is another account's.
func member(t *testing.T) *world {
	t.Helper()
	w := deployed(t, "")
	w.RemoveTrail(trailARN)
	w.AddTrail(cloudtrailtypes.Trail{
		TrailARN: aws.String("arn:aws:cloudtrail:us-east-1:444455556666:trail/org"), HomeRegion: aws.String(home),
		IsMultiRegionTrail: aws.Bool(true), IsOrganizationTrail: aws.Bool(true),
		CloudWatchLogsLogGroupArn: aws.String("arn:aws:logs:us-east-1:444455556666:log-group:aws-controltower/CloudTrailLogs:*"),
	})
	return w
}

func controlOf(id string) catalog.Control {
	all := catalog.Controls()
	return all[slices.IndexFunc(all, func(c catalog.Control) bool { return c.ID == id })]
}

func (w *world) deleteFilter(name string) {
	w.t.Helper()
	must(w.Logs.DeleteMetricFilter(w.t.Context(), &cloudwatchlogs.DeleteMetricFilterInput{LogGroupName: aws.String(trailGroup), FilterName: aws.String(name)}))
}

// eachSubscription does something with each subscription of relight's topic.
func (w *world) eachSubscription(do func(arn *string)) {
	w.t.Helper()
	w.PageSize(0)
	for _, s := range must(w.SNS.ListSubscriptionsByTopic(w.t.Context(), &sns.ListSubscriptionsByTopicInput{TopicArn: aws.String(w.topic)})).Subscriptions {
		do(s.SubscriptionArn)
	}
}

func (w *world) unsubscribeAll() {
	w.eachSubscription(func(arn *string) {
		must(w.SNS.Unsubscribe(w.t.Context(), &sns.UnsubscribeInput{SubscriptionArn: arn}))
	})
}

// filterAll gives each subscription a filter policy that lets nothing through.
func (w *world) filterAll() {
	w.eachSubscription(func(arn *string) {
		must(w.SNS.SetSubscriptionAttributes(w.t.Context(), &sns.SetSubscriptionAttributesInput{
			SubscriptionArn: arn, AttributeName: aws.String("FilterPolicy"), AttributeValue: aws.String(`{"never":["x"]}`),
		}))
	})
}
