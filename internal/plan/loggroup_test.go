package plan_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
)

// filterFor is relight's own filter for a control.
func filterFor(want catalog.Desired, c catalog.Control) plan.Filter {
	return plan.Filter{
		Name: want.Name(c.ID), Pattern: c.Pattern,
		Metrics: []plan.Metric{{Namespace: want.Prefix, Name: want.Name(c.ID), Value: "1"}},
	}
}

// theirFilter is a filter of somebody else's that holds a control.
func theirFilter(c catalog.Control) plan.Filter {
	return plan.Filter{
		Name: "cis-3", Pattern: c.Pattern,
		Metrics: []plan.Metric{{Namespace: "CISBenchmark", Name: "root_usage_metric", Value: "1"}},
	}
}

func ptr[T any](v T) *T { return &v }

// weakFilters are the ways in which a filter of anybody's stops measuring.
var weakFilters = map[string]struct {
	change func(*plan.Filter)
	reason string
}{
	"another pattern":         {func(f *plan.Filter) { f.Pattern = `{ $.userIdentity.type = "IAMUser" }` }, "its pattern differs"},
	"a term more":             {func(f *plan.Filter) { f.Pattern = strings.Replace(f.Pattern, "}", `&& $.awsRegion = "x" }`, 1) }, "its pattern differs"},
	"other case":              {func(f *plan.Filter) { f.Pattern = strings.ToLower(f.Pattern) }, "its pattern differs"},
	"white space in a string": {func(f *plan.Filter) { f.Pattern = strings.Replace(f.Pattern, `"Root"`, `"Root "`, 1) }, "its pattern differs"},
	"words run together":      {func(f *plan.Filter) { f.Pattern = strings.Replace(f.Pattern, "invokedBy NOT", "invokedByNOT", 1) }, "its pattern differs"},
	"no pattern":              {func(f *plan.Filter) { f.Pattern = "" }, "its pattern differs"},
	"field selection":         {func(f *plan.Filter) { f.FieldSelection = `@aws.region = "eu-west-9"` }, "its field selection narrows it"},
	"transformed events":      {func(f *plan.Filter) { f.OnTransformed = true }, "it reads transformed events"},
	"system fields":           {func(f *plan.Filter) { f.SystemFields = []string{"@aws.account"} }, "system fields split its metric"},
	"no metric":               {func(f *plan.Filter) { f.Metrics = nil }, "it writes no metric"},
	"dimensions":              {metric(func(m *plan.Metric) { m.Dimensions = map[string]string{"r": "$.awsRegion"} }), "dimensions split its metric"},
	"counts nothing":          {metric(func(m *plan.Metric) { m.Value = "0" }), `it counts "0" for a match`},
	"counts a part":           {metric(func(m *plan.Metric) { m.Value = "0.5" }), `it counts "0.5" for a match`},
	"counts down":             {metric(func(m *plan.Metric) { m.Value = "-1" }), `it counts "-1" for a match`},
	"counts a field":          {metric(func(m *plan.Metric) { m.Value = "$.size" }), `it counts "$.size" for a match`},
	"counts no number":        {metric(func(m *plan.Metric) { m.Value = "NaN" }), `it counts "NaN" for a match`},
	"counts without end":      {metric(func(m *plan.Metric) { m.Value = "Inf" }), `it counts "Inf" for a match`},
	"counts too much":         {metric(func(m *plan.Metric) { m.Value = "1" + strings.Repeat("0", 109) }), `it counts "1` + strings.Repeat("0", 109) + `" for a match`},
	"counts in hexadecimal":   {metric(func(m *plan.Metric) { m.Value = "0x1p4" }), `it counts "0x1p4" for a match`},
	"counts unsaid":           {metric(func(m *plan.Metric) { m.Value = "" }), `it counts "" for a match`},
	"a default drowns it":     {metric(func(m *plan.Metric) { m.Default = ptr(-5.0) }), "it counts -5 for no match"},
	"a default rings it":      {metric(func(m *plan.Metric) { m.Default = ptr(1.0) }), "it counts 1 for no match"},
}

func metric(change func(*plan.Metric)) func(*plan.Filter) {
	return func(f *plan.Filter) {
		f.Metrics = []plan.Metric{f.Metrics[0]}
		change(&f.Metrics[0])
	}
}

func TestWeakFilters(t *testing.T) {
	want, c := control(t)
	for name, tt := range weakFilters {
		t.Run(name, func(t *testing.T) {
			own := with(filterFor(want, c), tt.change)
			p := of(t, want, logGroup(own))
			says(t, "actions on ours", p.Actions, "put metric-filter relight-root-usage on "+group+" ("+tt.reason+")")
			converges(t, want, logGroup(own))

			theirs := with(theirFilter(c), tt.change)
			p = of(t, want, logGroup(theirs))
			says(t, "actions on theirs", p.Actions, "put metric-filter relight-root-usage on "+group+" (no filter measures usage of the root account)")
			got := apply(t, logGroup(theirs), p)
			if diff := cmp.Diff(theirs, got.State.(*plan.LogGroupState).Filters[0]); diff != "" {
				t.Errorf("theirs was touched (-was +is):\n%s", diff)
			}
			converges(t, want, logGroup(theirs))
		})
	}
}

// Ways to write a filter that measure all the same: nothing to do, whoever's
// it is.
var soundFilters = map[string]func(*plan.Filter){
	"as wanted":        func(*plan.Filter) {},
	"no white space":   rewritten(func(p string) string { return strings.ReplaceAll(p, " = ", "=") }),
	"more white space": rewritten(func(p string) string { return "\n" + strings.ReplaceAll(p, " ", "\t  ") + " " }),
	"no quotes":        rewritten(func(p string) string { return strings.ReplaceAll(p, `"`, "") }),
	"other order":      rewritten(func(string) string { return otherOrder }),
	"counts more":      metric(func(m *plan.Metric) { m.Value = "2.5" }),
	"counts 1.0":       metric(func(m *plan.Metric) { m.Value = "1.0" }),
	"default of zero":  metric(func(m *plan.Metric) { m.Default = ptr(0.0) }),
	"unit None":        metric(func(m *plan.Metric) { m.Unit = "None" }),
}

// otherOrder means what the pattern for root usage does.
const otherOrder = `{ (($.eventType != "AwsServiceEvent")) && ($.userIdentity.type = "Root" && ($.userIdentity.invokedBy NOT EXISTS)) }`

func rewritten(as func(string) string) func(*plan.Filter) {
	return func(f *plan.Filter) { f.Pattern = as(f.Pattern) }
}

// What passes for a control's pattern: of relight's own filter what means the same,
// to the letter where Security Hub compares letters, and of others' what means the same,
// except for a twin.
func TestPatternsThatPass(t *testing.T) {
	const (
		root    = "root-usage"
		groups  = "security-group-changes"
		twin    = "security-group-changes-securityhub"
		calls   = "unauthorized-api-calls"
		allRoot = `{ $.userIdentity.type = "Root" }`
		noisy   = `{ ($.errorCode = "*UnauthorizedOperation") || ($.errorCode = "AccessDenied*") || ($.sourceIPAddress!="delivery.logs.amazonaws.com") || ($.eventName!="HeadBucket") }`
	)
	quoted := func(p string) string { return strings.NewReplacer("= ", `= "`, ") ", `") `).Replace(p) }
	for _, row := range []struct {
		control      string
		as           func(pattern string) string
		ours, theirs bool
	}{
		{root, func(p string) string { return " " + p + "\n" }, true, true},
		{root, func(string) string { return otherOrder }, false, true},
		{root, func(string) string { return allRoot }, false, false},
		{groups, func(string) string { return `{ $.eventName != "Unrelated" }` }, false, false},
		{root, func(string) string { return `{ $.eventName = "*" }` }, false, false},
		{root, func(string) string { return `{ $.userIdentity.type = "R*" || $.eventName = * }` }, false, false},
		{root, func(p string) string { return strings.Replace(p, "}", `&& $.eventName != "X" }`, 1) }, false, false},
		{groups, quoted, true, true},
		{groups, func(p string) string { return strings.Replace(p, "{", "{ $.eventName = RunInstances ||", 1) }, false, false},
		{groups, func(p string) string { return strings.Replace(p, "($.eventName = CreateSecurityGroup) ||", "", 1) }, false, false},
		{twin, quoted, false, false},
		{twin, func(p string) string { return p + " " }, true, true},
		{calls, func(string) string { return noisy }, false, false},
		{calls, func(string) string { return "" }, false, false},
		{calls, func(string) string { return "{ no pattern" }, false, false},
	} {
		want := policy(t)
		want.Controls = slices.DeleteFunc(want.Controls, func(c catalog.Control) bool { return c.ID != row.control })
		c := want.Controls[0]
		ours, theirs := filterFor(want, c), theirFilter(c)
		ours.Pattern, theirs.Pattern = row.as(c.Pattern), row.as(c.Pattern)
		if got := len(of(t, want, logGroup(ours)).Actions) == 0; got != row.ours {
			t.Errorf("%s: relight's own filter with %s passes: %t, want %t", c.ID, ours.Pattern, got, row.ours)
		}
		if got := plan.Measures(c, theirs) == ""; got != row.theirs {
			t.Errorf("%s: another filter with %s measures it: %t, want %t", c.ID, theirs.Pattern, got, row.theirs)
		}
	}
}

func TestSoundFilters(t *testing.T) {
	want, c := control(t)
	c.SecurityHub, want.Controls[0].SecurityHub = "", "" // see TestPatternsThatPass
	for name, change := range soundFilters {
		for whose, f := range map[string]plan.Filter{"ours": filterFor(want, c), "theirs": theirFilter(c)} {
			p := of(t, want, logGroup(with(f, change)))
			if len(p.Actions) > 0 || p.Healthy != 1 {
				t.Errorf("%s, %s: %d held, actions %v", name, whose, p.Healthy, p.Actions)
			}
		}
	}
}

// What feeds the alarm on our own metric is asked of our own filter only.
func TestOwnFilterFeedsItsAlarm(t *testing.T) {
	want, c := control(t)
	tests := map[string]struct {
		change func(*plan.Metric)
		reason string
	}{
		"another metric":    {func(m *plan.Metric) { m.Name = "elsewhere" }, "it writes another metric"},
		"another namespace": {func(m *plan.Metric) { m.Namespace = "elsewhere" }, "it writes another metric"},
		"another unit":      {func(m *plan.Metric) { m.Unit = "Bytes" }, "it counts in Bytes"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			own := with(filterFor(want, c), metric(tt.change))
			for _, filters := range [][]plan.Filter{{own}, {own, theirFilter(c)}, {theirFilter(c), own}} {
				p := of(t, want, logGroup(filters...))
				says(t, "actions", p.Actions, "put metric-filter relight-root-usage on "+group+" ("+tt.reason+")")
				converges(t, want, logGroup(filters...))
			}
			says(t, "actions on theirs", of(t, want, logGroup(with(theirFilter(c), metric(tt.change)))).Actions)
		})
	}
}

// A repair keeps a default value of zero, on which the policy has no opinion.
func TestOwnFilterIsPutBackWhole(t *testing.T) {
	want, c := control(t)
	for _, tt := range []struct{ was, put *float64 }{{nil, nil}, {ptr(0.0), ptr(0.0)}, {ptr(7.0), nil}} {
		tampered := plan.Filter{
			Name: want.Name(c.ID), Pattern: "x", OnTransformed: true, FieldSelection: "y", SystemFields: []string{"@aws.region"},
			Metrics: []plan.Metric{{Namespace: "n", Name: "m", Value: "0", Default: tt.was, Unit: "Bytes"}},
		}
		repaired := with(filterFor(want, c), metric(func(m *plan.Metric) { m.Default = tt.put }))
		p := of(t, want, logGroup(tampered))
		if diff := cmp.Diff(repaired, p.Actions[0].(plan.PutFilter).Filter); diff != "" {
			t.Errorf("the filter put (-want +got):\n%s", diff)
		}
	}
}

// White space is what separates the terms of a pattern that is not JSON.
func TestMeasuresOtherPatterns(t *testing.T) {
	tests := []struct {
		a, b  string
		equal bool
	}{
		{"ERROR timeout", "ERRORtimeout", false},
		{"ERROR timeout", " ERROR timeout\n", true},
		{"?ERROR ?WARN", "?ERROR?WARN", false},
		{"[ip, user]", "[ip,user]", true},
		{`{ $.a = "x y" }`, `{$.a="x y"}`, true},
		{`{ $.a = "x\" y"}`, `{$.a="x\"y"}`, false},
		{`{ $.a = "x\\" && $.b = c }`, `{$.a="x\\"&&$.b=c}`, true},
		{`{ $.a = %x y% }`, `{$.a=%x y%}`, true},
		{`{ $.a = %x, y%}`, `{$.a=%x,y%}`, false},
		{`{ $.a IS NULL }`, `{$.a   IS	NULL}`, true},
		{`{ $.a IS NULL }`, `{$.aIS NULL}`, false},
		{`{ ($.a = b) || ($.c = *) }`, `{($.a=b)||($.c=*)}`, true},
	}
	for _, tt := range tests {
		f := plan.Filter{Pattern: tt.b, Metrics: []plan.Metric{{Value: "1"}}}
		if got := plan.Measures(catalog.Control{Pattern: tt.a}, f) == ""; got != tt.equal {
			t.Errorf("%s measured by %s: %t, want %t", tt.a, tt.b, got, tt.equal)
		}
	}
}

// No control's filter passes for another's, also none that matches more.
func TestControlsAreToldApart(t *testing.T) {
	want := policy(t)
	for _, a := range want.Controls {
		for _, b := range want.Controls {
			if got := plan.Measures(a, filterFor(want, b)) == ""; got != (a.ID == b.ID) {
				t.Errorf("%s measured by the filter of %s: %t", a.ID, b.ID, got)
			}
		}
	}
}

func TestTrailLogGroup(t *testing.T) {
	want, c := control(t)
	want.KMSKeys = map[string]string{region: "arn:aws:kms:us-east-1:111122223333:key/1"}
	const put = "put metric-filter relight-root-usage on %s (no filter measures usage of the root account)"
	tower := "aws-controltower/CloudTrailLogs"
	tests := map[string]struct {
		name      string // group unless set
		class     string
		retention int32
		missing   bool
		actions   []string
		findings  []string
	}{
		"sound":           {class: catalog.ClassStandard, retention: 365},
		"kept for ever":   {class: catalog.ClassStandard},
		"kept longer":     {class: catalog.ClassStandard, retention: 3653},
		"class not told":  {retention: 400},
		"kept shorter":    {retention: 364, actions: []string{"raise retention of log-group " + group + " to 365 days (it keeps logs for 364 days; the trail needs 365)"}},
		"missing":         {missing: true, actions: []string{"create log-group " + group + " with 365 days of retention (it does not exist; the trail needs it)", strings.ReplaceAll(put, "%s", group)}},
		"another class":   {class: "INFREQUENT_ACCESS", retention: 1, findings: []string{"[log-group-class] log group " + group + ": its class INFREQUENT_ACCESS does not support metric filters and cannot be changed. Create a STANDARD log group and point the trail at it. If this group was recreated in that class, find out by whom."}},
		"Control Tower's": {name: tower, retention: 365},
		"Control Tower's, shorter": {name: tower, retention: 14, findings: []string{
			"[control-tower-group-retention] log group " + tower + ": it keeps logs for 14 days; the trail needs 365, but AWS Control Tower owns it. Raise the retention in the landing zone's settings.",
		}},
		"Control Tower's, in the middle of the name": {name: "/org/" + tower, retention: 14, findings: []string{
			"[control-tower-group-retention] log group /org/" + tower + ": it keeps logs for 14 days; the trail needs 365, but AWS Control Tower owns it. Raise the retention in the landing zone's settings.",
		}},
		"Control Tower's, missing": {name: tower, missing: true, findings: []string{
			"[control-tower-group-missing] log group " + tower + ": it does not exist, and AWS Control Tower owns it. Repair the landing zone.",
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := logGroup(filterFor(want, c))
			if tt.name != "" {
				got.State.(*plan.LogGroupState).Trail.LogGroup, got.State.(*plan.LogGroupState).Group.Name = tt.name, tt.name
			}
			got.State.(*plan.LogGroupState).Group.Class, got.State.(*plan.LogGroupState).Group.RetentionDays = tt.class, tt.retention
			if tt.missing {
				got.State.(*plan.LogGroupState).Group, got.State.(*plan.LogGroupState).Exists, got.State.(*plan.LogGroupState).Filters = plan.LogGroup{}, false, nil
			}
			p := of(t, want, got)
			says(t, "actions", p.Actions, tt.actions...)
			says(t, "findings", p.Findings, tt.findings...)
			if tt.missing && tt.name == "" {
				if key := p.Actions[0].(plan.CreateLogGroup).KMSKey; key != want.KMSKeys[region] {
					t.Errorf("created with key %q", key)
				}
			}
			converges(t, want, got)
		})
	}
}

// Where the trail's log group is not to be held here, nothing is planned,
// whatever was observed beside it.
func TestNoTrailLogGroupHere(t *testing.T) {
	finding := plan.Finding{Subject: "account", Problem: "no trail", Remedy: "Make one."}
	for _, trail := range []plan.TrailLogs{
		{Elsewhere: "not applicable"},
		{Findings: []plan.Finding{finding}},
	} {
		for _, state := range []plan.State{&plan.LogGroupState{Trail: trail}, &plan.AlarmState{Full: true, Trail: trail}} {
			p := of(t, policy(t), plan.Observed{State: state})
			says(t, "actions", p.Actions)
			if len(p.Findings) != len(trail.Findings) || (len(p.Skips) == 1) != (trail.Elsewhere != "") || p.Healthy != 0 {
				t.Errorf("%T of %+v: findings %v, skips %v, %d held", state, trail, p.Findings, p.Skips, p.Healthy)
			}
		}
	}
}

func TestEveryControlGetsItsFilter(t *testing.T) {
	want := policy(t)
	p := of(t, want, logGroup())
	if len(p.Actions) != len(want.Controls) || p.Healthy != 0 {
		t.Errorf("%d actions and %d held, want a filter for each of %d controls", len(p.Actions), p.Healthy, len(want.Controls))
	}
	converges(t, want, logGroup())
}

// Only the trail's log group is Control Tower's by its name: whoever gives the log
// group of flow logs such a name gains nothing.
func TestFlowLogGroupIsNotControlTowers(t *testing.T) {
	const tower = "aws-controltower/flow-logs"
	want := policy(t)
	want.FlowLogs.LogGroup = tower
	got := flowLogs(want, plan.Network{ID: "vpc-1", Owner: account})
	p := of(t, want, got)
	if len(p.Actions) == 0 || !strings.HasPrefix(p.Actions[0].Step().String(), "create log-group "+tower) || len(p.Findings) > 0 {
		t.Errorf("missing: actions %v, findings %v", p.Actions, p.Findings)
	}
	got.State.(*plan.FlowLogState).LogGroups[tower] = plan.LogGroup{Name: tower, RetentionDays: 1}
	p = of(t, want, got)
	if len(p.Actions) == 0 || !strings.HasPrefix(p.Actions[0].Step().String(), "raise retention of log-group "+tower) || len(p.Findings) > 0 {
		t.Errorf("kept a day: actions %v, findings %v", p.Actions, p.Findings)
	}
}
