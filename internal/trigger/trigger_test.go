package trigger_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relight-aws/relight/events"
	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/remedy"
	"github.com/relight-aws/relight/internal/trigger"
)

const (
	account = "111122223333"
	other   = "444455556666"
	home    = "us-east-1"
	second  = "eu-west-1"
	trail   = "aws-cloudtrail-logs-111122223333-0a1b2c3d"

	logBucket = "audit-111122223333"
	keyID     = "1234abcd-12ab-34cd-56ef-1234567890ab"
	trailARN  = "arn:aws:cloudtrail:us-east-1:111122223333:trail/audit"
)

// What Parse answers to a sample: scopes, or the beginning of a refusal and
// part of its text.
const (
	refused   = "ignored: was refused with"
	disagrees = "ignored: in an envelope of"
	unwatched = "ignored: is not watched"
	rejected  = "rejected: "
)

func vpc(region, id string) string { return scope("flowlogs", region, "vpc", id) }
func filters(group string) string  { return scope("loggroups", home, "log-group", group) }
func bucket(name string) string {
	return scope("flowlogs", home, "bucket", name) + " " + scope("trails", home, "bucket", name)
}

func key(name string) string {
	return scope("flowlogs", home, "key", name) + " " + scope("trails", home, "key", name) + " " + scope("topics", home, "key", name)
}
func trails(names ...string) string { return scope("trails", home, "trail", names...) }
func alarm(names ...string) string  { return scope("alarms", home, "alarm", names...) }

// subscription ends the ARN of one.
const subscription = "5e1f0c2a-7b7e-4d5c-9a3b-6f0d1e2c3b4a"

// topic is a topic or subscription of the account, or all for no name.
func topic(name string) string {
	if name == "" {
		return scope("topics", home, "topic")
	}
	return scope("topics", home, "topic", "arn:aws:sns:"+home+":"+account+":"+name)
}

// group is a log group that both kinds may lean on.
func group(region, name string) string {
	return scope("flowlogs", region, "log-group", name) + " " + scope("loggroups", region, "log-group", name)
}

func scope(kind, region, of string, names ...string) string {
	s := region + "/" + kind + "/" + of
	if list := strings.Join(names, ","); list != "" {
		s += ":" + list
	}
	return s
}

// samples says what Parse makes of every sample. It does not know which
// accounts and regions are covered; that is the app's to say.
var samples = map[string]string{
	"CreateVpc.default.json":             vpc(home, "vpc-0a1b2c3d4e5f60001"),
	"CreateVpc.second-region.json":       vpc(second, "vpc-0a1b2c3d4e5f60002"),
	"CreateVpc.tagged.json":              vpc(home, "vpc-0a1b2c3d4e5f60003"),
	"CreateVpc.cloudformation.json":      vpc(home, "vpc-0a1b2c3d4e5f60004"),
	"CreateVpc.null-parameters.json":     vpc(home, "vpc-0a1b2c3d4e5f60005"),
	"CreateVpc.null-response.json":       vpc(home, ""),
	"CreateVpc.oversized.json":           vpc(home, ""),
	"CreateVpc.refused.json":             refused,
	"CreateVpc.limit.refused.json":       refused,
	"CreateVpc.other-account.json":       other + " " + vpc(home, "vpc-0a1b2c3d4e5f60006"),
	"CreateVpc.other-region-record.json": disagrees,
	"CreateVpc.wrong-source.json":        unwatched,

	"CreateDefaultVpc.default.json":   vpc(home, "vpc-0a1b2c3d4e5f60011"),
	"CreateDefaultVpc.old-style.json": vpc(home, ""),
	"CreateDefaultVpc.refused.json":   refused,

	"DeleteVpc.logged.json":          vpc(home, "vpc-0a1b2c3d4e5f60021"),
	"DeleteVpc.bare.json":            vpc(home, "vpc-0a1b2c3d4e5f60022"),
	"DeleteVpc.cloudformation.json":  vpc(home, "vpc-0a1b2c3d4e5f60023"),
	"DeleteVpc.null-parameters.json": vpc(home, ""),
	"DeleteVpc.refused.json":         refused,

	"CreateTags.exempt.json":      vpc(home, "vpc-0a1b2c3d4e5f60031"),
	"CreateTags.mixed.json":       vpc(home, "vpc-0a1b2c3d4e5f60032"),
	"CreateTags.other-value.json": vpc(home, "vpc-0a1b2c3d4e5f60033"),
	"CreateTags.instance.json":    "ignored: names no vpc",
	"CreateTags.refused.json":     refused,
	"DeleteTags.exempt.json":      vpc(home, "vpc-0a1b2c3d4e5f60035"),
	"DeleteTags.instance.json":    "ignored: names no vpc",

	"PutBucketPolicy.logs.json":                 bucket(logBucket),
	"PutBucketPolicy.foreign.json":              bucket("checkout-assets"),
	"PutBucketPolicy.refused.json":              refused,
	"DeleteBucketPolicy.logs.json":              bucket(logBucket),
	"DeleteBucketPolicy.foreign.json":           bucket("checkout-assets"),
	"PutBucketLifecycle.logs.json":              bucket(logBucket),
	"PutBucketLifecycle.foreign.json":           bucket("checkout-assets"),
	"PutBucketLifecycleConfiguration.logs.json": bucket(logBucket),
	"DeleteBucket.logs.json":                    bucket(logBucket),
	"DeleteBucket.foreign.json":                 bucket("checkout-assets"),

	"DisableKey.logs.json":             key(keyID),
	"DisableKey.foreign.json":          key("0987dcba-09fe-87dc-65ba-ab0987654321"),
	"DisableKey.refused.json":          refused,
	"ScheduleKeyDeletion.logs.json":    key("arn:aws:kms:us-east-1:111122223333:key/" + keyID),
	"ScheduleKeyDeletion.foreign.json": key("0987dcba-09fe-87dc-65ba-ab0987654321"),
	"PutKeyPolicy.logs.json":           key("arn:aws:kms:us-east-1:111122223333:key/" + keyID),
	"PutKeyPolicy.foreign.json":        key("0987dcba-09fe-87dc-65ba-ab0987654321"),

	"EnableRegion.opted-in.json":   scope("flowlogs", home, "region", "af-south-1"),
	"EnableRegion.upper-case.json": scope("flowlogs", home, "region"),
	"EnableRegion.refused.json":    refused,

	"DeleteFlowLogs.one.json":             vpc(home, ""),
	"DeleteFlowLogs.several.json":         vpc(home, ""),
	"DeleteFlowLogs.second-region.json":   vpc(second, ""),
	"DeleteFlowLogs.unsuccessful.json":    vpc(home, ""),
	"DeleteFlowLogs.null-parameters.json": vpc(home, ""),
	"DeleteFlowLogs.oversized.json":       vpc(home, ""),
	"DeleteFlowLogs.refused.json":         refused,
	"DeleteFlowLogs.console-action.json":  unwatched,

	"StopLogging.name.json":            trails("audit"),
	"StopLogging.arn.json":             trails(trailARN),
	"StopLogging.foreign.json":         trails("app-trail"),
	"StopLogging.null-parameters.json": trails(),
	"StopLogging.refused.json":         refused,

	"UpdateTrail.stripped.json": trails("audit"),
	"UpdateTrail.bucket.json":   trails("audit"),
	"UpdateTrail.foreign.json":  trails("app-trail"),
	"UpdateTrail.echo.json":     trails(trailARN),
	"UpdateTrail.refused.json":  refused,

	"DeleteTrail.arn.json":           trails(trailARN),
	"DeleteTrail.name.json":          trails("audit"),
	"DeleteTrail.foreign.json":       trails("arn:aws:cloudtrail:us-east-1:111122223333:trail/app-trail"),
	"DeleteTrail.second-region.json": scope("trails", second, "trail", "audit"),
	"DeleteTrail.refused.json":       refused,

	"PutEventSelectors.unmanaged.json": trails("audit"),
	"PutEventSelectors.excluded.json":  trails(trailARN),
	"PutEventSelectors.advanced.json":  trails("audit"),
	"PutEventSelectors.foreign.json":   trails("app-trail"),
	"PutEventSelectors.echo.json":      trails(trailARN),
	"PutEventSelectors.refused.json":   refused,

	"CreateLogGroup.trail.json":             group(home, trail),
	"CreateLogGroup.infrequent-access.json": group(home, trail),
	"CreateLogGroup.flow-logs.json":         group(home, "relight-flow-logs"),
	"CreateLogGroup.foreign.json":           group(home, "/aws/lambda/checkout"),
	"CreateLogGroup.echo.json":              group(home, trail),
	"CreateLogGroup.refused.json":           refused,

	"DeleteLogGroup.trail.json":                group(home, trail),
	"DeleteLogGroup.flow-logs.json":            group(home, "relight-flow-logs"),
	"DeleteLogGroup.second-region.json":        group(second, "relight-flow-logs"),
	"DeleteLogGroup.foreign.json":              group(home, "/aws/lambda/checkout"),
	"DeleteLogGroup.null-parameters.json":      group(home, ""),
	"DeleteLogGroup.oversized.json":            group(home, ""),
	"DeleteLogGroup.string-parameters.json":    group(home, trail),
	"DeleteLogGroup.refused.json":              refused,
	"DeleteLogGroup.other-account-record.json": disagrees,
	"DeleteLogGroup.custom-source.json":        unwatched,
	"DeleteLogGroup.console-action.json":       unwatched,

	"PutRetentionPolicy.shortened.json":  group(home, trail),
	"PutRetentionPolicy.lengthened.json": group(home, trail),
	"PutRetentionPolicy.flow-logs.json":  group(home, "relight-flow-logs"),
	"PutRetentionPolicy.foreign.json":    group(home, "/aws/lambda/checkout"),
	"PutRetentionPolicy.echo.json":       group(home, trail),
	"PutRetentionPolicy.refused.json":    refused,

	"PutMetricFilter.narrowed.json":        filters(trail),
	"PutMetricFilter.field-selection.json": filters(trail),
	"PutMetricFilter.transformed.json":     filters(trail),
	"PutMetricFilter.redirected.json":      filters(trail),
	"PutMetricFilter.foreign.json":         filters("/aws/lambda/checkout"),
	"PutMetricFilter.echo.json":            filters(trail),
	"PutMetricFilter.oversized.json":       filters(""),
	"PutMetricFilter.refused.json":         refused,

	"DeleteMetricFilter.ours.json":            filters(trail),
	"DeleteMetricFilter.foreign.json":         filters("/aws/lambda/checkout"),
	"DeleteMetricFilter.null-parameters.json": filters(""),
	"DeleteMetricFilter.refused.json":         refused,

	"DeleteTopic.ours.json":                        topic("relight-alerts"),
	"DeleteTopic.foreign.json":                     topic("checkout"),
	"DeleteTopic.null-parameters.json":             topic(""),
	"DeleteTopic.refused.json":                     refused,
	"SetTopicAttributes.policy.json":               topic("relight-alerts"),
	"SetTopicAttributes.key.json":                  topic("relight-alerts"),
	"SetTopicAttributes.foreign.json":              topic("checkout"),
	"SetTopicAttributes.echo.json":                 topic("relight-alerts"),
	"RemovePermission.ours.json":                   topic("relight-alerts"),
	"RemovePermission.foreign.json":                topic("checkout"),
	"Unsubscribe.ours.json":                        topic("relight-alerts:" + subscription),
	"Unsubscribe.foreign.json":                     topic("checkout:" + subscription),
	"SetSubscriptionAttributes.filter-policy.json": topic("relight-alerts:" + subscription),
	"SetSubscriptionAttributes.foreign.json":       topic("checkout:" + subscription),
	"SetSubscriptionAttributes.echo.json":          topic("relight-alerts:" + subscription),
	"PutLogGroupDeletionProtection.flow-logs.json": group(home, "relight-flow-logs"),
	"PutLogGroupDeletionProtection.trail.json":     group(home, trail),
	"PutLogGroupDeletionProtection.echo.json":      group(home, trail),
	"PutLogGroupDeletionProtection.foreign.json":   group(home, "/aws/lambda/checkout"),
	"PutLogGroupDeletionProtection.refused.json":   refused,
	"AssociateKmsKey.other-account-key.json":       group(home, trail),
	"AssociateKmsKey.foreign.json":                 group(home, "/aws/lambda/checkout"),
	"DisassociateKmsKey.trail.json":                group(home, trail),
	"DisassociateKmsKey.arn.json":                  group(home, trail),
	"DisassociateKmsKey.queries.json":              group(home, "query-result"),
	"DeleteLogStream.trail.json":                   group(home, trail),
	"DeleteLogStream.flow-logs.json":               group(home, "relight-flow-logs"),
	"DeleteLogStream.foreign.json":                 group(home, "/aws/lambda/checkout"),
	"DeleteSubscriptionFilter.trail.json":          group(home, trail),
	"DeleteSubscriptionFilter.foreign.json":        group(home, "/aws/lambda/checkout"),
	"PutDataProtectionPolicy.trail.json":           group(home, trail),
	"PutDataProtectionPolicy.foreign.json":         group(home, "/aws/lambda/checkout"),
	"PutTransformer.trail.json":                    filters(trail),
	"PutTransformer.foreign.json":                  filters("/aws/lambda/checkout"),
	"PutAccountPolicy.masking.json":                filters(""),
	"PutAccountPolicy.transformer.json":            filters(""),

	"PutMetricAlarm.weakened.json":     alarm("relight-root-usage"),
	"PutMetricAlarm.silenced.json":     alarm("relight-iam-changes"),
	"PutMetricAlarm.extra-action.json": alarm("relight-iam-changes"),
	"PutMetricAlarm.foreign.json":      alarm("checkout-latency"),
	"PutMetricAlarm.echo.json":         alarm("relight-root-usage"),
	"PutMetricAlarm.oversized.json":    alarm(),
	"PutMetricAlarm.refused.json":      refused,

	"DeleteAlarms.one.json":                 alarm("relight-root-usage"),
	"DeleteAlarms.several.json":             alarm("relight-iam-changes", "relight-root-usage", "relight-vpc-changes"),
	"DeleteAlarms.all.json":                 alarm(every()...),
	"DeleteAlarms.mixed.json":               alarm("checkout-latency", "relight-cloudtrail-changes"),
	"DeleteAlarms.foreign.json":             alarm("checkout-latency"),
	"DeleteAlarms.second-region.json":       scope("alarms", second, "alarm", "relight-root-usage"),
	"DeleteAlarms.null-parameters.json":     alarm(),
	"DeleteAlarms.oversized.json":           alarm(),
	"DeleteAlarms.string-parameters.json":   alarm("relight-nacl-changes", "relight-root-usage"),
	"DeleteAlarms.refused.json":             refused,
	"DeleteAlarms.other-account.json":       other + " " + alarm("relight-root-usage"),
	"DeleteAlarms.other-region-record.json": disagrees,
	"DeleteAlarms.wrong-source.json":        unwatched,

	"DisableAlarmActions.one.json":             alarm("relight-root-usage"),
	"DisableAlarmActions.several.json":         alarm("relight-cloudtrail-changes", "relight-iam-changes", "relight-root-usage"),
	"DisableAlarmActions.foreign.json":         alarm("checkout-latency"),
	"DisableAlarmActions.null-parameters.json": alarm(),
	"DisableAlarmActions.refused.json":         refused,

	"SetAlarmState.one.json":            alarm("relight-root-usage"),
	"SetAlarmState.foreign.json":        alarm("checkout-latency"),
	"PutAlarmMuteRule.guarded.json":     scope("alarms", home, "muted-alarm", "checkout-latency", "relight-root-usage"),
	"PutAlarmMuteRule.foreign.json":     scope("alarms", home, "muted-alarm", "checkout-latency"),
	"PutAlarmMuteRule.refused.json":     refused,
	"PutCompositeAlarm.suppressed.json": scope("alarms", home, "composite-alarm", "any-of-the-account"),
	"PutCompositeAlarm.foreign.json":    scope("alarms", home, "composite-alarm", "checkout"),

	"AlarmChange.delete.json":            alarm("relight-root-usage"),
	"AlarmChange.delete-monitoring.json": alarm("relight-vpc-changes"),
	"AlarmChange.update.json":            alarm("relight-root-usage"),
	"AlarmChange.disabled.json":          alarm("relight-iam-changes"),
	"AlarmChange.create.json":            alarm("relight-root-usage"),
	"AlarmChange.foreign.json":           alarm("checkout-latency"),
	"AlarmChange.no-name.json":           alarm(),
	"AlarmChange.other-account.json":     other + " " + alarm("relight-root-usage"),
	"AlarmChange.custom-source.json":     unwatched,

	"DeleteRole.ours.json":                       scope("deliveryroles", home, "role", "relight-flow-logs-delivery"),
	"DeleteRole.foreign.json":                    scope("deliveryroles", home, "role", "checkout-service"),
	"DeleteRole.null-parameters.json":            scope("deliveryroles", home, "role", ""),
	"DeleteRole.refused.json":                    refused,
	"DeleteRole.other-region.json":               scope("deliveryroles", second, "role", "relight-flow-logs-delivery"),
	"DeleteRolePolicy.ours.json":                 scope("deliveryroles", home, "role", "relight-flow-logs-delivery"),
	"DeleteRolePolicy.foreign.json":              scope("deliveryroles", home, "role", "checkout-service"),
	"PutRolePolicy.denying.json":                 scope("deliveryroles", home, "role", "relight-flow-logs-delivery"),
	"PutRolePolicy.replaced.json":                scope("deliveryroles", home, "role", "relight-flow-logs-delivery"),
	"PutRolePolicy.foreign.json":                 scope("deliveryroles", home, "role", "checkout-service"),
	"PutRolePolicy.echo.json":                    scope("deliveryroles", home, "role", "relight-flow-logs-delivery"),
	"AttachRolePolicy.denying.json":              scope("deliveryroles", home, "role", "relight-flow-logs-delivery"),
	"AttachRolePolicy.foreign.json":              scope("deliveryroles", home, "role", "checkout-service"),
	"DetachRolePolicy.ours.json":                 scope("deliveryroles", home, "role", "relight-flow-logs-delivery"),
	"DetachRolePolicy.foreign.json":              scope("deliveryroles", home, "role", "checkout-service"),
	"UpdateAssumeRolePolicy.ours.json":           scope("deliveryroles", home, "role", "relight-flow-logs-delivery"),
	"UpdateAssumeRolePolicy.foreign.json":        scope("deliveryroles", home, "role", "checkout-service"),
	"UpdateAssumeRolePolicy.echo.json":           scope("deliveryroles", home, "role", "relight-flow-logs-delivery"),
	"PutRolePermissionsBoundary.ours.json":       scope("deliveryroles", home, "role", "relight-flow-logs-delivery"),
	"PutRolePermissionsBoundary.foreign.json":    scope("deliveryroles", home, "role", "checkout-service"),
	"DeleteRolePermissionsBoundary.ours.json":    scope("deliveryroles", home, "role", "relight-flow-logs-delivery"),
	"DeleteRolePermissionsBoundary.foreign.json": scope("deliveryroles", home, "role", "checkout-service"),
	"CreatePolicyVersion.attached.json":          scope("deliveryroles", home, "policy", "arn:aws:iam::111122223333:policy/flow-log-extras"),
	"CreatePolicyVersion.foreign.json":           scope("deliveryroles", home, "policy", "arn:aws:iam::111122223333:policy/checkout-tables"),
	"SetDefaultPolicyVersion.attached.json":      scope("deliveryroles", home, "policy", "arn:aws:iam::111122223333:policy/flow-log-extras"),
	"SetDefaultPolicyVersion.foreign.json":       scope("deliveryroles", home, "policy", "arn:aws:iam::111122223333:policy/checkout-tables"),

	"Unknown.call.json":        unwatched,
	"Unknown.service.json":     unwatched,
	"Unknown.no-name.json":     unwatched,
	"Unknown.alarm-state.json": unwatched,

	"Malformed.truncated.json":      rejected + "not an EventBridge envelope: invalid character",
	"Malformed.shape.json":          rejected + "detail: json: cannot unmarshal array",
	"Malformed.no-detail.json":      rejected + "detail: unexpected end of JSON input",
	"Malformed.no-account.json":     rejected + `not an EventBridge envelope: account ""`,
	"Malformed.no-region.json":      rejected + `not an EventBridge envelope: account "111122223333", region ""`,
	"Malformed.number-account.json": rejected + "not an EventBridge envelope: json: cannot unmarshal number",
}

// every returns the names of the alarms of all controls, sorted.
func every() []string {
	var names []string
	for _, c := range catalog.Controls() {
		names = append(names, "relight-"+c.ID)
	}
	slices.Sort(names)
	return names
}

func TestParse(t *testing.T) {
	for _, name := range events.All() {
		t.Run(name, func(t *testing.T) {
			want, ok := samples[name]
			if !ok {
				t.Fatal("this sample has no row here")
			}
			ev, err := trigger.Parse(events.Read(name))
			if err != nil {
				kind, reason, _ := strings.Cut(want, ": ")
				if errors.Is(err, trigger.ErrIgnored) != (kind == "ignored") || !strings.Contains(err.Error(), reason) || reason == "" {
					t.Errorf("%v, want %s", err, want)
				}
				if len(ev.Scopes) > 0 {
					t.Errorf("an error and scopes: %v", ev.Scopes)
				}
				return
			}
			of := account
			if rest, ok := strings.CutPrefix(want, other+" "); ok {
				of, want = other, rest
			}
			var got []string
			for _, s := range ev.Scopes {
				got = append(got, strings.TrimPrefix(s.String(), of+"/"))
				if s.Account != of || s.Region != ev.Region {
					t.Errorf("scope %s is of account %s", s, s.Account)
				}
			}
			if diff := cmp.Diff(want, strings.Join(got, " ")); diff != "" {
				t.Errorf("scopes (-want +got):\n%s", diff)
			}
		})
	}
}

// A row of the catalog without a sample that names something was never tried.
func TestEveryCallIsParsed(t *testing.T) {
	for _, c := range slices.Concat(catalog.Calls, catalog.TagCalls) {
		found := slices.ContainsFunc(events.All(), func(name string) bool {
			var e struct {
				Source     string
				DetailType string `json:"detail-type"`
				Detail     struct{ EventName string }
			}
			if json.Unmarshal(events.Read(name), &e) != nil || e.Source != c.Source || e.DetailType != c.DetailType || e.Detail.EventName != c.Name {
				return false
			}
			ev, err := trigger.Parse(events.Read(name))
			return err == nil && len(ev.Scopes) == len(c.Kinds) && (c.Path == nil || ev.Scopes[0].Names != "")
		})
		if !found {
			t.Errorf("no sample of %s %q %s gives a scope with a name", c.Source, c.DetailType, c.Name)
		}
	}
}

// envelope returns an event of DeleteAlarms with the given detail fields.
func envelope(fields string) []byte {
	return fmt.Appendf(nil, `{"id":"e","detail-type":%q,"source":"aws.monitoring","account":%q,"time":"2026-03-03T12:00:00Z","region":%q,
		"detail":{"eventName":"DeleteAlarms"%s}}`, catalog.APICall, account, home, fields)
}

// Names come in more shapes than the samples show. What cannot be read, or is
// no name, widens the scope.
func TestNames(t *testing.T) {
	long := strings.Repeat("a", 256)
	tests := map[string]string{
		`["b","a","b"]`:               "a,b",
		`"a"`:                         "a",
		`{"content":"a","tag":1}`:     "a",
		`[{"content":"a","tag":1}]`:   "a",
		`{"content":["a","b"]}`:       "a,b",
		`["ä, with a comma"]`:         "ä, with a comma",
		`[]`:                          "",
		`{}`:                          "",
		`null`:                        "",
		`""`:                          "",
		`["a",""]`:                    "",
		`["a",null]`:                  "",
		`["a",1]`:                     "",
		`["a",true]`:                  "",
		`["a\nb"]`:                    "",
		`["a\u0000"]`:                 "",
		`["` + long[:255] + `"]`:      long[:255],
		`["` + long + `","a"]`:        "",
		`{"item":["a"]}`:              "",
		`{"content":{"content":"a"}}`: "a",
	}
	for names, want := range tests {
		for _, parameters := range []string{`{"alarmNames":` + names + `}`, quote(`{"alarmNames":` + names + `}`)} {
			ev, err := trigger.Parse(envelope(`,"requestParameters":` + parameters))
			if err != nil {
				t.Fatalf("%s: %v", parameters, err)
			}
			if got := strings.Join(ev.Scopes[0].Names.List(), ","); got != want {
				t.Errorf("%s: names %q, want %q", parameters, got, want)
			}
		}
	}
	for _, parameters := range []string{`[]`, `"no JSON"`, `7`, `{"reason":"requestParameters too large","omitted":true}`, `{"AlarmNames":["a"]}`} {
		if ev, err := trigger.Parse(envelope(`,"requestParameters":` + parameters)); err != nil || ev.Scopes[0].Names != "" {
			t.Errorf("%s: %v, %v, want a scope without names", parameters, ev.Scopes, err)
		}
	}
}

func quote(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// EC2 takes wildcards in filters: a name with one would match what the event
// does not name.
func TestWildcardsAreNoNames(t *testing.T) {
	for sample, name := range map[string]string{
		"CreateVpc.default.json":        "vpc-0a1b2c3d4e5f60001",
		"DeleteLogGroup.flow-logs.json": "relight-flow-logs",
	} {
		for _, odd := range []string{"*", "vpc-*", "relight-????-logs", "a b", "vpc-1,vpc-2"} {
			raw := strings.ReplaceAll(string(events.Read(sample)), name, odd)
			ev, err := trigger.Parse([]byte(raw))
			if err != nil || ev.Scopes[0].Names != "" {
				t.Errorf("%s with name %q: %v, %v, want a scope without names", sample, odd, ev.Scopes, err)
			}
		}
	}
}

// People are not advised of a call that did no harm after all: relight's own
// repair is one.
func TestHarmless(t *testing.T) {
	for sample, advised := range map[string]bool{
		"PutLogGroupDeletionProtection.flow-logs.json": true,
		"PutLogGroupDeletionProtection.echo.json":      false,
		"DeleteLogStream.trail.json":                   true,
		"DeleteAlarms.one.json":                        false,
	} {
		ev, err := trigger.Parse(events.Read(sample))
		if err != nil || (ev.Cause.Advice != "") != advised {
			t.Errorf("%s: %v, advice %q; want some: %t", sample, err, ev.Cause.Advice, advised)
		}
	}
	raw := strings.Replace(string(events.Read("PutLogGroupDeletionProtection.echo.json")), `"deletionProtectionEnabled": true`, `"deletionProtectionEnabled": null`, 1)
	if ev, err := trigger.Parse([]byte(raw)); err != nil || ev.Cause.Advice == "" {
		t.Errorf("a call that does not say so counts as harmless: %v", err)
	}
}

// Some calls take a log group's ARN for its name.
func TestARNs(t *testing.T) {
	const name = "aws-cloudtrail-logs-111122223333-0a1b2c3d"
	for identifier, want := range map[string]string{
		name: name,
		"arn:aws:logs:us-east-1:111122223333:log-group:" + name:            name,
		"arn:aws-cn:logs:cn-north-1:111122223333:log-group:" + name + ":*": name,
		"arn:aws:logs:us-east-1:111122223333:log-group:":                   "",
		"arn:aws:logs:us-east-1":                                           "",
		"arn:aws:logs:us-east-1:111122223333:log-group:a:log-stream:b":     "",
	} {
		raw := strings.ReplaceAll(string(events.Read("DisassociateKmsKey.arn.json")), "arn:aws:logs:us-east-1:111122223333:log-group:"+name, identifier)
		ev, err := trigger.Parse([]byte(raw))
		if err != nil || string(ev.Scopes[0].Names) != want || ev.Cause.Names != ev.Scopes[0].Names {
			t.Errorf("%s: %v, names %q, of the cause %q; want %q", identifier, err, ev.Scopes[0].Names, ev.Cause.Names, want)
		}
	}
}

func TestCause(t *testing.T) {
	at := func(s string) time.Time {
		v, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	envelopeTime := at("2026-03-03T12:00:00Z")
	tests := map[string]remedy.Cause{
		`,"eventTime":"2026-03-03T11:59:58Z","sourceIPAddress":"192.0.2.1","userIdentity":{"arn":"arn:a","invokedBy":"x"}`: {Actor: "arn:a", SourceIP: "192.0.2.1", Time: at("2026-03-03T11:59:58Z")},
		`,"userIdentity":{"invokedBy":"cloudformation.amazonaws.com"}`:                                                     {Actor: "cloudformation.amazonaws.com", Time: envelopeTime},
		``: {Time: envelopeTime},
		`,"eventTime":"yesterday","sourceIPAddress":"192.0.2.1"`:    {SourceIP: "192.0.2.1", Time: envelopeTime},
		`,"eventTime":7,"userIdentity":"root","sourceIPAddress":[]`: {Time: envelopeTime},
		`,"userIdentity":null,"eventTime":null`:                     {Time: envelopeTime},
	}
	for fields, want := range tests {
		ev, err := trigger.Parse(envelope(fields))
		if err != nil {
			t.Errorf("%s: %v", fields, err)
		}
		want.EventID, want.EventName = "e", "DeleteAlarms"
		if diff := cmp.Diff(want, ev.Cause); diff != "" {
			t.Errorf("%s (-want +got):\n%s", fields, diff)
		}
	}
	ev, _ := trigger.Parse(events.Read("AlarmChange.delete.json"))
	if ev.Cause.EventName != catalog.AlarmChange || ev.Cause.Time.IsZero() || ev.Cause.EventID == "" {
		t.Errorf("cause of a direct event: %+v", ev.Cause)
	}
}

// The envelope's account and region are what AWS sets, so they are held to
// their shape.
func TestEnvelope(t *testing.T) {
	good := string(envelope(""))
	tests := []struct{ from, to string }{
		{account, "11112222333"},
		{account, "1111222233334"},
		{account, "11112222333x"},
		{account, ` 111122223333`},
		{home, "us-east"},
		{home, "US-EAST-1"},
		{home, "us-east-1; drop"},
		{"aws.monitoring", ""},
		{catalog.APICall, ""},
		{"2026-03-03T12:00:00Z", "noon"},
		{`{"eventName"`, `[{"eventName"`},
	}
	for _, tt := range tests {
		if _, err := trigger.Parse([]byte(strings.Replace(good, tt.from, tt.to, 1))); err == nil || errors.Is(err, trigger.ErrIgnored) {
			t.Errorf("%q for %q: %v, want it rejected", tt.to, tt.from, err)
		}
	}
	for _, region := range []string{"us-gov-west-1", "us-isob-east-1", "cn-northwest-1", "ap-southeast-5"} {
		if ev, err := trigger.Parse([]byte(strings.Replace(good, home, region, 1))); err != nil || ev.Scopes[0].Region != region {
			t.Errorf("region %s: %v", region, err)
		}
	}
	for _, raw := range []string{"", " ", "null", "7", `"x"`, "[]", "{}", "{} {}"} {
		if _, err := trigger.Parse([]byte(raw)); err == nil || errors.Is(err, trigger.ErrIgnored) {
			t.Errorf("%q: %v, want it rejected", raw, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, name := range events.All() {
		f.Add(events.Read(name))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		ev, err := trigger.Parse(raw)
		if err != nil && len(ev.Scopes) > 0 || err == nil && len(ev.Scopes) == 0 {
			t.Errorf("%d scopes and error %v", len(ev.Scopes), err)
		}
		for _, s := range ev.Scopes {
			if len(s.Account) != 12 || s.Region == "" || s.Account != ev.Account || s.Region != ev.Region ||
				s.Type == "" || !slices.Contains(catalog.Kinds(), s.Kind) {
				t.Errorf("an unusable scope: %+v", s)
			}
			if slices.Contains(s.Names.List(), "") || remedy.NamesOf(s.Names.List()...) != s.Names {
				t.Errorf("unusable names: %q", s.Names)
			}
		}
	})
}

func BenchmarkParse(b *testing.B) {
	for _, name := range events.All() {
		raw := events.Read(name)
		b.Run(strings.TrimSuffix(name, ".json"), func(b *testing.B) {
			for b.Loop() {
				_, _ = trigger.Parse(raw) // a sample may be one that is refused
			}
		})
	}
}
