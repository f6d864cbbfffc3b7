package plan_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
)

const (
	ownKey    = "arn:aws:kms:us-east-1:111122223333:key/own"
	secondKey = "arn:aws:kms:us-east-1:111122223333:key/second"
	theirKey  = "arn:aws:kms:us-east-1:444455556666:key/theirs"
)

// What guards a log group's records is put back on groups of relight's, and
// reported on others.
func TestGuardedLogGroups(t *testing.T) {
	protect := "protect log-group " + group + " from deletion (its deletion protection is off)"
	encrypt := "encrypt log-group " + group + " with " + ownKey + " (it has no KMS key)"
	tag := "tag log-group " + group + " (relight made it, and its tag was removed; if you take it over, remove the tag and run relight accept)"
	foreign := func(key string) string {
		return "[log-group-key-changed] log group " + group + ": it is relight's, and is encrypted with " + key + ", which the configuration does not name: relight puts that right. " +
			"What was written until then can be read only with that key. Find out who associated the key. Keep it until nobody needs those records: " +
			"once it is disabled or deleted, they are lost. If it was intended, name it in kmsKeys of the configuration."
	}
	again := "encrypt log-group " + group + " with " + ownKey + " (it is encrypted with " + secondKey + ", which the configuration does not name)"
	bare := func(key string) string {
		return "remove the KMS key of log-group " + group + " (it is encrypted with " + key + ", which the configuration does not name)"
	}
	theirs := "[log-group-key-foreign] log group " + group + ": it is encrypted with " + theirKey + " of account 444455556666, which can make its logs unreadable. " +
		"Associate a key of this account with it (aws logs associate-kms-key), or name that one in kmsKeys of the configuration if it is intended."
	tests := map[string]struct {
		group     plan.LogGroup
		key       string // configured
		unguarded bool   // by configuration
		actions   []string
		findings  []string
	}{
		"theirs":                              {},
		"theirs, protected":                   {group: plan.LogGroup{Protected: true}},
		"theirs, with a key":                  {group: plan.LogGroup{KMSKey: secondKey}},
		"theirs, with a key beside ours":      {group: plan.LogGroup{KMSKey: secondKey}, key: ownKey},
		"theirs, without the configured":      {key: ownKey},
		"theirs, with another account's":      {group: plan.LogGroup{KMSKey: theirKey}, findings: []string{theirs}},
		"theirs, with another's, configured":  {group: plan.LogGroup{KMSKey: theirKey}, key: theirKey},
		"ours":                                {group: plan.LogGroup{Ours: true, Protected: true}},
		"ours, unprotected":                   {group: plan.LogGroup{Ours: true}, actions: []string{protect}},
		"ours, unprotected, as configured":    {group: plan.LogGroup{Ours: true}, unguarded: true},
		"ours, protected against its config":  {group: plan.LogGroup{Ours: true, Protected: true}, unguarded: true},
		"ours, without the configured key":    {group: plan.LogGroup{Ours: true, Protected: true}, key: ownKey, actions: []string{encrypt}},
		"ours, with the configured key":       {group: plan.LogGroup{Ours: true, Protected: true, KMSKey: ownKey}, key: ownKey},
		"ours, with another key":              {group: plan.LogGroup{Ours: true, Protected: true, KMSKey: secondKey}, key: ownKey, actions: []string{again}, findings: []string{foreign(secondKey)}},
		"ours by its tag, with a key":         {group: plan.LogGroup{Ours: true, Protected: true, KMSKey: secondKey}},
		"ours, with a key, none configured":   {group: plan.LogGroup{Ours: true, Proven: true, Protected: true, KMSKey: secondKey}, actions: []string{bare(secondKey)}, findings: []string{foreign(secondKey)}},
		"ours by its tag, with another's":     {group: plan.LogGroup{Ours: true, Protected: true, KMSKey: theirKey}, findings: []string{theirs}},
		"ours, with another account's, alone": {group: plan.LogGroup{Ours: true, Proven: true, Protected: true, KMSKey: theirKey}, actions: []string{bare(theirKey)}, findings: []string{foreign(theirKey)}},
		"ours from memory":                    {group: plan.LogGroup{Ours: true, Untagged: true, Protected: true}, actions: []string{tag}},
		"ours from memory, unprotected":       {group: plan.LogGroup{Ours: true, Untagged: true}, actions: []string{protect, tag}},
		"ours, stripped of both":              {group: plan.LogGroup{Ours: true}, key: ownKey, actions: []string{encrypt, protect}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			want, c := control(t)
			want.ProtectGroups, want.KMSKeys = !tt.unguarded, map[string]string{region: tt.key}
			got := logGroup(filterFor(want, c))
			tt.group.Name, tt.group.RetentionDays = group, 365
			got.State.(*plan.LogGroupState).Group = tt.group
			p := of(t, want, got)
			says(t, "actions", p.Actions, tt.actions...)
			says(t, "findings", p.Findings, tt.findings...)
			for _, f := range p.Findings {
				if !f.Alert {
					t.Errorf("%s does not alert", f)
				}
			}
			converges(t, want, got)

			want.FlowLogs.LogGroup = group
			got = flowLogs(want, plan.Network{ID: "vpc-1", Owner: account, FlowLogs: []plan.FlowLog{{
				ID: "fl-1", Status: "ACTIVE", TrafficType: "REJECT", Format: catalog.DefaultFlowLogFormat, Destination: catalog.ToCloudWatchLogs, LogGroup: group, Ours: true,
			}}})
			got.State.(*plan.FlowLogState).LogGroups[group] = tt.group
			p = of(t, want, got)
			says(t, "actions for flow logs", p.Actions, tt.actions...)
			says(t, "findings for flow logs", p.Findings, tt.findings...)
		})
	}
}

// A group that relight makes is protected and encrypted as configured.
func TestNewLogGroupIsGuarded(t *testing.T) {
	for _, guarded := range []bool{true, false} {
		want, _ := control(t)
		want.ProtectGroups, want.KMSKeys = guarded, map[string]string{region: ownKey}
		got := logGroup()
		got.State.(*plan.LogGroupState).Exists, got.State.(*plan.LogGroupState).Group = false, plan.LogGroup{}
		a := of(t, want, got).Actions[0].(plan.CreateLogGroup)
		if a.Protected != guarded || a.KMSKey != ownKey {
			t.Errorf("%+v, want it protected: %t", a, guarded)
		}
		converges(t, want, got)
	}
}

// What changes the records that filters and people see is reported with what
// to do; a group's own transformer hides the account's.
func TestAlteredRecords(t *testing.T) {
	const (
		own     = "delete-data-protection-policy --log-group-identifier " + group
		account = "delete-account-policy --policy-type DATA_PROTECTION_POLICY"
		rewrite = "delete-transformer --log-group-identifier " + group
		policy  = "delete-account-policy --policy-type TRANSFORMER_POLICY --policy-name slim"
	)
	rule := func(selection string) []plan.GroupRule { return []plan.GroupRule{{Name: "slim", Selection: selection}} }
	tests := map[string]struct {
		change   func(*plan.LogGroupState)
		findings []string // part of each
	}{
		"as they came":                    {func(*plan.LogGroupState) {}, nil},
		"masked":                          {func(s *plan.LogGroupState) { s.Group.Masked = true }, []string{own}},
		"masked by the account":           {func(s *plan.LogGroupState) { s.Group.MaskedByAll = true }, []string{account}},
		"masked by both":                  {func(s *plan.LogGroupState) { s.Group.Masked, s.Group.MaskedByAll = true, true }, []string{own, account}},
		"transformed":                     {func(s *plan.LogGroupState) { s.Transformed = true }, []string{rewrite}},
		"transformed by the account":      {func(s *plan.LogGroupState) { s.Account = rule("") }, []string{policy}},
		"transformed by prefix":           {func(s *plan.LogGroupState) { s.Account = rule(`LogGroupNamePrefix IN ["other", "aws-cloudtrail"]`) }, []string{policy}},
		"by a prefix in single quotes":    {func(s *plan.LogGroupState) { s.Account = rule("LogGroupNamePrefix = 'aws-cloudtrail'") }, []string{policy}},
		"by criteria that cannot be read": {func(s *plan.LogGroupState) { s.Account = rule("something new") }, []string{policy}},
		"by another prefix":               {func(s *plan.LogGroupState) { s.Account = rule(`LogGroupNamePrefix IN ["/aws/lambda/"]`) }, nil},
		"by all but other prefixes":       {func(s *plan.LogGroupState) { s.Account = rule(`LogGroupNamePrefix NOT IN ["/aws/lambda/", "not "]`) }, []string{policy}},
		"by all but its prefix": {func(s *plan.LogGroupState) {
			s.Account = rule(`LogGroupNamePrefix not in ["/aws/lambda/", "aws-cloudtrail"]`)
		}, nil},
		"by a prefix that says NOT":         {func(s *plan.LogGroupState) { s.Account = rule(`LogGroupNamePrefix IN ["NOT IN", "aws-"]`) }, []string{policy}},
		"by itself, which hides the others": {func(s *plan.LogGroupState) { s.Transformed, s.Account = true, rule("") }, []string{rewrite}},
		"in another class, masked":          {func(s *plan.LogGroupState) { s.Group.Class, s.Group.Masked = "INFREQUENT_ACCESS", true }, []string{own, "its class INFREQUENT_ACCESS"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			want, c := control(t)
			got := logGroup(filterFor(want, c))
			tt.change(got.State.(*plan.LogGroupState))
			p := of(t, want, got)
			if len(p.Actions) > 0 || len(p.Findings) != len(tt.findings) {
				t.Fatalf("actions %v, findings %v; want %v", p.Actions, p.Findings, tt.findings)
			}
			all := strings.Join(text(p.Findings), "\n")
			for _, f := range tt.findings {
				if !strings.Contains(all, f) {
					t.Errorf("findings %s, want %s", all, f)
				}
			}
		})
	}
}

// An account-wide retention policy overrides what PutRetentionPolicy writes,
// so writing would go on for ever.
func TestRetentionByPolicy(t *testing.T) {
	want, c := control(t)
	for days, short := range map[int32]bool{0: false, 365: false, 30: true} {
		got := logGroup(filterFor(want, c))
		got.State.(*plan.LogGroupState).Group.RetentionDays, got.State.(*plan.LogGroupState).Group.RetentionBy = days, "thrifty"
		p := of(t, want, got)
		if len(p.Actions) > 0 || (len(p.Findings) == 1) != short {
			t.Errorf("%d days: actions %v, findings %v", days, p.Actions, p.Findings)
		}
		if short && !strings.Contains(p.Findings[0].String(), "--policy-type RETENTION_POLICY --policy-name thrifty") {
			t.Errorf("finding %s", p.Findings[0])
		}
	}
}

func TestCrowdedLogGroup(t *testing.T) {
	want := policy(t)
	crowd := func(n int) []plan.Filter {
		var filters []plan.Filter
		for range n {
			filters = append(filters, plan.Filter{Name: "theirs", Pattern: "ERROR"})
		}
		return filters
	}
	n := len(want.Controls)
	for existing, refused := range map[int]string{
		catalog.FiltersPerGroup - n:     "",
		catalog.FiltersPerGroup - n + 1: fmt.Sprintf("it has %d metric filters and takes 100, so relight cannot restore 1 filter", 101-n),
		catalog.FiltersPerGroup:         fmt.Sprintf("it has 100 metric filters and takes 100, so relight cannot restore %d filters", n),
	} {
		p := of(t, want, logGroup(crowd(existing)...))
		if len(p.Actions) != n || (len(p.Findings) == 0) != (refused == "") || refused != "" && !strings.Contains(p.Findings[0].String(), refused) {
			t.Errorf("%d filters: %d actions, findings %v", existing, len(p.Actions), p.Findings)
		}
	}
	held := crowd(catalog.FiltersPerGroup - n)
	for _, c := range want.Controls {
		held = append(held, with(filterFor(want, c), func(f *plan.Filter) { f.Pattern = "x" }))
	}
	if p := of(t, want, logGroup(held...)); len(p.Findings) > 0 {
		t.Errorf("filters that are there need no room: %v", p.Findings)
	}
}

// Names that an event asked about are touched if something leans on them.
func TestTouched(t *testing.T) {
	want, c := control(t)
	ask := func(got plan.Observed, of catalog.ResourceType, names ...string) plan.Observed {
		got.Type, got.Asked = of, names
		return got
	}
	theirs := reachable(alarms([]plan.Filter{theirFilter(c)}, theirAlarm(want, c)), plan.Topic{Exists: true, Admits: true, Confirmed: 1})
	ours := want.Name(c.ID)
	tests := map[string]struct {
		got  plan.Observed
		want []string
	}{
		"the trail's group":         {ask(logGroup(filterFor(want, c)), catalog.LogGroup, "other", group), []string{group}},
		"another group":             {ask(logGroup(filterFor(want, c)), catalog.LogGroup, "other"), nil},
		"everything":                {logGroup(filterFor(want, c)), nil},
		"an alarm of ours":          {ask(named([]string{ours, "x"}, alarmFor(want, c)), catalog.Alarm, ours, "x"), []string{ours}},
		"one of ours that is gone":  {ask(named([]string{ours}), catalog.Alarm, ours), []string{ours}},
		"an alarm of theirs":        {ask(theirs, catalog.Alarm, "root"), []string{"root"}},
		"an alarm that is no guard": {ask(theirs, catalog.Alarm, "checkout-latency"), nil},
	}
	for name, tt := range tests {
		p := of(t, want, tt.got)
		if diff := cmp.Diff(tt.want, p.Touched); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// What silences an alarm while its settings stay is reported, or undone where
// the configuration says so; alarms that hold no control are nobody's business.
func TestSilencedAlarms(t *testing.T) {
	rule := func(change func(*plan.MuteRule)) func(*plan.AlarmState) {
		r := plan.MuteRule{Name: "nights", Alarms: []string{"relight-root-usage"}, Kind: "RECURRING"}
		if change != nil {
			change(&r)
		}
		return func(s *plan.AlarmState) { s.Mutes = append(s.Mutes, r) }
	}
	composite := func(rule, suppressor string) func(*plan.AlarmState) {
		return func(s *plan.AlarmState) {
			s.Composites = append(s.Composites, plan.Composite{Name: "any", Rule: rule, Suppressor: suppressor, ActionsEnabled: true, AlarmActions: []string{topic}})
		}
	}
	const (
		ofRule      = "[alarm-muted] alarm mute rule nights: it silences relight-root-usage without changing their settings (recurring). Delete it, unless it is intended: aws cloudwatch delete-alarm-mute-rule --alarm-mute-rule-name nights. relight deletes such rules itself if alarms.removeMutes is true."
		ofComposite = "[composite-alarm-suppressed] composite alarm any: while maintenance is in ALARM, it does not report relight-root-usage; the actions of relight-root-usage itself still run. Remove its suppressor, unless it is intended: aws cloudwatch put-composite-alarm without --actions-suppressor. relight removes it itself if alarms.removeMutes is true."
		ofUnclear   = "[composite-alarm-unclear] composite alarm any: while maintenance is in ALARM, it reports nothing, and relight does not understand its rule, which may name alarms of the controls. If it depends on one, remove its suppressor, unless it is intended: aws cloudwatch put-composite-alarm without --actions-suppressor. relight removes it itself if alarms.removeMutes is true."
		unclear     = "remove the suppressor of composite alarm any (while maintenance is in ALARM, it reports nothing, and its rule may name alarms of the controls)"
		unmute      = "delete alarm mute rule nights (it silences relight-root-usage)"
		unsuppress  = "remove the suppressor of composite alarm any (while maintenance is in ALARM, it does not report relight-root-usage)"
	)
	tests := map[string]struct {
		change  func(*plan.AlarmState)
		finding string // "" for none
		action  string // with removeMutes
	}{
		"nothing":                       {change: func(*plan.AlarmState) {}},
		"a rule":                        {rule(nil), ofRule, unmute},
		"a rule to come":                {rule(func(r *plan.MuteRule) { r.Kind = "ONE_TIME" }), strings.Replace(ofRule, "recurring", "one time", 1), unmute},
		"a rule over more":              {rule(func(r *plan.MuteRule) { r.Alarms = []string{"checkout-latency", "relight-root-usage"} }), ofRule, unmute},
		"a rule over others":            {change: rule(func(r *plan.MuteRule) { r.Alarms = []string{"checkout-latency", "relight-unknown"} })},
		"a suppressor":                  {composite("ALARM(relight-root-usage)", "maintenance"), ofComposite, unsuppress},
		"a suppressor, quoted":          {composite(`ALARM("checkout-latency") OR NOT OK( "relight-root-usage" )`, "maintenance"), ofComposite, unsuppress},
		"a suppressor, by ARN":          {composite("INSUFFICIENT_DATA(arn:aws:cloudwatch:us-east-1:111122223333:alarm:relight-root-usage)", "maintenance"), ofComposite, unsuppress},
		"a suppressor of others":        {change: composite("ALARM(relight-root-usage-2) OR ALARM(checkout-latency)", "maintenance")},
		"a count of several":            {composite("AT_LEAST(1, ALARM, (relight-root-usage, relight-iam-changes))", "maintenance"), ofComposite, unsuppress},
		"a percentage of several":       {composite(`OK(x) AND AT_LEAST( 50%, NOT OK, ("relight-iam-changes" , "relight-root-usage") )`, "maintenance"), ofComposite, unsuppress},
		"a count, by ARN":               {composite("AT_LEAST(2, INSUFFICIENT_DATA, (arn:aws:cloudwatch:us-east-1:111122223333:alarm:relight-root-usage, a, b))", "maintenance"), ofComposite, unsuppress},
		"a count of others":             {change: composite(`AT_LEAST(2, NOT ALARM, (relight-root-usage-2, "b, relight-root-usage", c)) OR (TRUE AND NOT FALSE)`, "maintenance")},
		"a word to come":                {composite("MOST(checkout-latency)", "maintenance"), ofUnclear, unclear},
		"a state to come":               {composite("AT_LEAST(1, EVALUATION_ERROR, (checkout-latency, b))", "maintenance"), ofUnclear, unclear},
		"a wildcard":                    {composite("ALARM(relight-*)", "maintenance"), ofUnclear, unclear},
		"an operator to come":           {composite("ALARM(checkout-latency) XOR OK(b)", "maintenance"), ofUnclear, unclear},
		"lower case":                    {composite("alarm(checkout-latency)", "maintenance"), ofUnclear, unclear},
		"ours beside a word to come":    {composite("ALARM(relight-root-usage) XOR OK(b)", "maintenance"), ofComposite, unsuppress},
		"a quote in a name":             {composite(`ALARM("a\"b")`, "maintenance"), ofUnclear, unclear},
		"a composite alarm, unsilenced": {change: composite("ALARM(relight-root-usage)", "")},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			want, c := control(t)
			observe := map[string]func() plan.Observed{
				"full":  func() plan.Observed { return alarms([]plan.Filter{filterFor(want, c)}, alarmFor(want, c)) },
				"named": func() plan.Observed { return named([]string{want.Name(c.ID)}, alarmFor(want, c)) },
			}
			for look, o := range observe {
				want.RemoveMutes = false
				got := o()
				tt.change(got.State.(*plan.AlarmState))
				for asked, alert := range map[string]bool{"": false, "checkout-latency": false, "relight-root-usage": true} {
					got.Type, got.Asked = catalog.Alarm, []string{asked}
					if p := of(t, want, got); tt.finding != "" && p.Findings[0].Alert != alert {
						t.Errorf("%s: an event about alarm %q alerts: %t, want %t", look, asked, !alert, alert)
					}
				}
				got.Type, got.Asked = "", nil
				if p := of(t, want, got); tt.finding != "" && p.Findings[0].Alert {
					t.Errorf("%s: a look at everything alerts", look)
				}
				got.Type = []catalog.ResourceType{catalog.MutedAlarm, catalog.CompositeAlarm}[len(look)%2]
				p := of(t, want, got)
				if len(p.Actions) > 0 || (len(p.Findings) == 1) != (tt.finding != "") || p.Healthy != 1 {
					t.Fatalf("%s: actions %v, findings %v, %d held", look, p.Actions, p.Findings, p.Healthy)
				}
				if tt.finding != "" && (!strings.Contains(p.Findings[0].String(), tt.finding) || !p.Findings[0].Alert) {
					t.Errorf("%s: finding %s, want %s", look, p.Findings[0], tt.finding)
				}
				want.RemoveMutes = true
				p = of(t, want, got)
				if len(p.Findings) > 0 || (len(p.Actions) == 1) != (tt.action != "") || tt.action != "" && !strings.Contains(p.Actions[0].Step().String(), tt.action) {
					t.Errorf("%s, removing: actions %v, findings %v", look, p.Actions, p.Findings)
				}
				converges(t, want, got)
			}
		})
	}
}

// A composite alarm keeps all but its suppressor.
func TestUnsuppressKeepsTheRest(t *testing.T) {
	want, c := control(t)
	want.RemoveMutes = true
	was := plan.Composite{
		Name: "any", Rule: "ALARM(relight-root-usage)", Suppressor: "x", ActionsEnabled: true, Description: "d",
		AlarmActions: []string{"arn:1"}, OKActions: []string{"arn:2"}, InsufficientActions: []string{"arn:3"}, TagsSent: &plan.TagsSent{Enabled: true},
	}
	got := alarms([]plan.Filter{filterFor(want, c)}, alarmFor(want, c))
	got.State.(*plan.AlarmState).Composites = []plan.Composite{was}
	put := of(t, want, got).Actions[0].(plan.Unsuppress)
	was.Suppressor = ""
	if diff := cmp.Diff(was, put.Alarm); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// An alarm that has rung for a day tells nobody any more.
func TestStuckAlarm(t *testing.T) {
	want, c := control(t)
	healthy := plan.Topic{Exists: true, Admits: true, Confirmed: 1}
	ringing := func(a plan.Alarm, seconds int64) plan.Alarm {
		a.InAlarmFor = seconds
		return a
	}
	often := func(a plan.Alarm, seconds int64) plan.Alarm {
		a.InAlarmFor, a.InAlarmOf = 1, seconds
		return a
	}
	const again = "it was in ALARM for more than a day of the last two, with breaks"
	if p := of(t, want, alarms([]plan.Filter{filterFor(want, c)}, often(alarmFor(want, c), catalog.StuckAfter))); len(p.Findings) > 0 {
		t.Errorf("a day of two: %v", p.Findings)
	}
	if p := of(t, want, alarms([]plan.Filter{filterFor(want, c)}, often(alarmFor(want, c), catalog.StuckAfter+1))); len(p.Findings) != 1 || !strings.Contains(p.Findings[0].String(), again) {
		t.Errorf("more than a day of two: %v", p.Findings)
	}
	for name, tt := range map[string]struct {
		got   plan.Observed
		stuck string
	}{
		"quiet":        {got: alarms([]plan.Filter{filterFor(want, c)}, alarmFor(want, c))},
		"for a day":    {got: alarms([]plan.Filter{filterFor(want, c)}, ringing(alarmFor(want, c), catalog.StuckAfter))},
		"for longer":   {alarms([]plan.Filter{filterFor(want, c)}, ringing(alarmFor(want, c), catalog.StuckAfter+1)), "relight-root-usage"},
		"theirs":       {reachable(alarms([]plan.Filter{theirFilter(c)}, ringing(theirAlarm(want, c), 1e6)), healthy), "root"},
		"nobody's own": {got: alarms([]plan.Filter{filterFor(want, c)}, alarmFor(want, c), plan.Alarm{Name: "checkout-latency", InAlarmFor: 1e6})},
	} {
		p := of(t, want, tt.got)
		if len(p.Actions) > 0 || (len(p.Findings) == 1) != (tt.stuck != "") ||
			tt.stuck != "" && !strings.Contains(p.Findings[0].String(), "alarm "+tt.stuck+": it has been in ALARM for over a day, so new events send no notification") {
			t.Errorf("%s: actions %v, findings %v", name, p.Actions, p.Findings)
		}
	}
}

// What a composite alarm's rule depends on: an alarm of a control, through other
// composite alarms too; other alarms; or what relight does not understand.
func TestCompositeRules(t *testing.T) {
	const (
		none    = ""
		ours    = "[composite-alarm-suppressed]"
		unclear = "[composite-alarm-unclear]"
	)
	tests := map[string]string{
		`ALARM(relight-root-usage)`:                                                                      ours,
		`ALARM("relight-root-usage") OR OK(x)`:                                                           ours,
		`AT_LEAST(1, ALARM, (relight-root-usage, relight-iam-changes))`:                                  ours,
		`AT_LEAST(50%, NOT OK, ("relight-iam-changes", "relight-root-usage"))`:                           ours,
		`AT_LEAST(2, ALARM, (arn:aws:cloudwatch:us-east-1:111122223333:alarm:relight-root-usage, a, b))`: ours,
		`AT_LEAST(33.3 %, NOT INSUFFICIENT_DATA, ("a, b","relight-root-usage"))`:                         ours,
		"AT_LEAST\n(\n 1 ,\tNOT   ALARM ,\n( \"a\" ,\n\"relight-root-usage\" )\n)":                       ours,
		`NOT(ALARM(relight-root-usage))`:                                                                 ours,
		`NOT NOT ALARM(relight-root-usage)`:                                                              ours,
		`FALSE AND ALARM(relight-root-usage)`:                                                            ours,
		`((ALARM(a)AND(OK(b)OR(INSUFFICIENT_DATA( "relight-root-usage" )))))`:                            ours,
		`ALARM("arn:aws-us-gov:cloudwatch:us-gov-west-1:111122223333:alarm:relight-root-usage")`:         ours,
		`OK("a (b), c") OR ALARM( relight-root-usage )`:                                                  ours,
		`NOT ALARM(quiet) AND ALARM(relight-root-usage)`:                                                 ours,
		`MOST_OF(ALARM(a), ALARM(relight-root-usage))`:                                                   ours,
		`ALARM(inner)`: ours,
		`AT_LEAST(1, OK, (checkout, "arn:aws:cloudwatch:us-east-1:111122223333:alarm:outer"))`: ours,
		`ALARM(round)`:   none,
		`ALARM(strange)`: unclear,
		`ALARM("a\") OR ALARM(\"relight-root-usage")`: unclear,
		`ALARM("a\\")`: unclear,
		`AT_LEAST(1, ALARM, ("a\", "relight\"b"))`:    unclear,
		`AT_LEAST(1, ALARM, ())`:                      unclear,
		`AT_LEAST(ALL, ALARM, (a, b))`:                unclear,
		`AT_MOST(1, ALARM, (a, b))`:                   unclear,
		`AT_LEAST(1, NOT NOT ALARM, (a, b))`:          unclear,
		`at_least(1, ALARM, (relight-root-usage, b))`: unclear,
		`Alarm(relight-root-usage)`:                   unclear,
		`ALARM(a) && ALARM(b)`:                        unclear,
		`ALARM(*)`:                                    unclear,
		`ALARM("relight-????-usage")`:                 unclear,
		`ALARM(TAG(team=ops))`:                        unclear,
		`ALARM()`:                                     unclear,
		`ALARM(a`:                                     unclear,
		`ALARM(a"b)`:                                  unclear,
		"ALARM\u00a0(relight-root-usage)":             unclear,
		``:                                            unclear,
		`TRUE`:                                        none,
		`NOT FALSE`:                                   none,
		`ALARM("relight-root-usage-2")`:               none,
		`ALARM("Relight-Root-Usage")`:                 none,
		`ALARM("ALARM(relight-root-usage)")`:          none,
		`ALARM("a, relight-root-usage")`:              none,
		`(ALARM(a)AND NOT OK("b"))OR(TRUE)`:           none,
		`AT_LEAST(100%, ALARM, (a, b, c, "d e"))`:     none,
	}
	for rule, want := range tests {
		p := composites(t, false, map[string]string{
			"inner": `ALARM("relight-root-usage")`, "outer": `ALARM(x) OR ALARM(middle)`, "middle": `NOT OK(inner)`,
			"round": `ALARM(around) OR ALARM(round)`, "around": `ALARM("round")`, "strange": `MOST(a)`, "any": rule,
		})
		got := ""
		for _, f := range p.Findings {
			got += "[" + string(f.Code) + "]"
		}
		if got != want {
			t.Errorf("%s: findings %q, want %q", rule, got, want)
		}
		if p := composites(t, true, map[string]string{"inner": `ALARM("relight-root-usage")`, "any": rule}); want == ours && !strings.Contains(rule, "outer") && len(p.Actions) != 1 {
			t.Errorf("%s: actions %v, want the suppressor removed", rule, p.Actions)
		}
	}
}

// composites plans composite alarms with these rules, of which the one named "any"
// has a suppressor.
func composites(t *testing.T, remove bool, rules map[string]string) plan.Plan {
	want, c := control(t)
	want.RemoveMutes = remove
	got := alarms([]plan.Filter{filterFor(want, c)}, alarmFor(want, c))
	state := got.State.(*plan.AlarmState)
	for name, rule := range rules {
		state.Composites = append(state.Composites, plan.Composite{Name: name, Rule: rule, ActionsEnabled: true})
		if name == "any" {
			state.Composites[len(state.Composites)-1].Suppressor = "arn:aws:cloudwatch:us-east-1:111122223333:alarm:maintenance"
		}
	}
	return of(t, want, got)
}
