package trigger_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
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
)

// Parse returns scopes for a sample, or an error. These are the beginnings of
// the errors, with a part of their text.
const (
	unwatched = "ignored: is not watched"
	rejected  = "rejected: "
)

func scope(kind, region, of string, names ...string) string {
	s := region + "/" + kind + "/" + of
	if list := strings.Join(names, ","); list != "" {
		s += ":" + list
	}
	return s
}

// answers lists what Parse returns for the samples that events/README.md
// describes in another form: those that the app drops after Parse because the
// deployment does not cover their account or region, and those that are not
// readable.
var answers = map[string]string{
	"CreateVpc.other-account.json":      other + " " + scope("flowlogs", home, "vpc", "vpc-0a1b2c3d4e5f60006"),
	"DeleteAlarms.other-account.json":   other + " " + scope("alarms", home, "alarm", "relight-root-usage"),
	"AlarmChange.other-account.json":    other + " " + scope("alarms", home, "alarm", "relight-root-usage"),
	"DeleteTrail.second-region.json":    scope("trails", second, "trail", "audit"),
	"DeleteAlarms.second-region.json":   scope("alarms", second, "alarm", "relight-root-usage"),
	"DeleteRole.other-region.json":      scope("deliveryroles", second, "role", "relight-flow-logs-delivery") + " " + scope("trails", second, "role", "relight-flow-logs-delivery") + " " + scope("guard", second, "role", "relight-flow-logs-delivery"),
	"DeleteLogGroup.second-region.json": scope("flowlogs", second, "log-group", "relight-flow-logs") + " " + scope("loggroups", second, "log-group", "relight-flow-logs") + " " + scope("guard", second, "log-group", "relight-flow-logs"),
	"DeleteAlarms.all.json":             scope("alarms", home, "alarm", every()...),

	"Malformed.truncated.json":      rejected + "not an EventBridge envelope: invalid character",
	"Malformed.shape.json":          rejected + "detail: json: cannot unmarshal array",
	"Malformed.no-detail.json":      rejected + "detail: unexpected end of JSON input",
	"Malformed.no-account.json":     rejected + `not an EventBridge envelope: account ""`,
	"Malformed.no-region.json":      rejected + `not an EventBridge envelope: account "111122223333", region ""`,
	"Malformed.number-account.json": rejected + "not an EventBridge envelope: json: cannot unmarshal number",
}

// reasons maps each reason to ignore an event in events/README.md to the error
// that Parse returns.
var reasons = map[string]string{
	"refused":                        "ignored: was refused with",
	"record disagrees with envelope": "ignored: in an envelope of",
	"unknown call":                   unwatched,
	"detail type not watched":        unwatched,
	"names no vpc":                   "ignored: names no vpc",
}

var (
	checks = regexp.MustCompile("^check " + checked + "(?:, and " + checked + ")*(?:;.*)?$")
	check  = regexp.MustCompile(checked)
)

const checked = "([a-z, ]+) in ([a-z0-9-]+): (?:every ([a-z-]+)|([a-z-]+) (`[^`]+`(?:, `[^`]+`)*))"

// answer returns what Parse must return for a sample. It returns "" if neither
// answers nor events/README.md says so.
func answer(name, expected string) string {
	if want := answers[name]; want != "" {
		return want
	}
	if reason, ok := strings.CutPrefix(expected, "ignore: "); ok {
		return reasons[reason]
	}
	if !checks.MatchString(expected) {
		return ""
	}
	var scopes []string
	for part := range strings.SplitSeq(strings.TrimPrefix(expected, "check "), ", and ") {
		m := check.FindStringSubmatch(part)
		for kind := range strings.SplitSeq(m[1], ", ") {
			scopes = append(scopes, scope(kind, m[2], m[3]+m[4], strings.ReplaceAll(strings.ReplaceAll(m[5], "`, `", ","), "`", "")))
		}
	}
	return strings.Join(scopes, " ")
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
	expected := events.Expected()
	for _, name := range events.All() {
		t.Run(name, func(t *testing.T) {
			want := answer(name, expected[name])
			if want == "" {
				t.Fatalf("events/README.md says %q, which is not one of the forms that it explains", expected[name])
			}
			ev, err := trigger.Parse(events.Read(name))
			if err != nil {
				kind, reason, _ := strings.Cut(want, ": ")
				if errors.Is(err, trigger.ErrIgnored) != (kind == "ignored") || !strings.Contains(err.Error(), reason) || reason == "" {
					t.Errorf("%v, want %s", err, want)
				}
				if len(ev.Scopes) > 0 {
					t.Errorf("Parse returned an error and scopes: %v", ev.Scopes)
				}
				return
			}
			of := account
			if rest, ok := strings.CutPrefix(want, other+" "); ok {
				of, want = other, rest
			}
			var got []string
			for _, s := range ev.Scopes {
				got = append(got, scope(string(s.Kind), s.Region, string(s.Type), s.Names.List()...))
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

// Every row of the catalog needs a sample for which Parse returns a name.
func TestEveryCallIsParsed(t *testing.T) {
	for _, c := range catalog.Calls {
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
			scopes := slices.DeleteFunc(ev.Scopes, func(s remedy.Scope) bool { return !slices.Contains(c.Kinds, s.Kind) || s.Type != c.Type })
			return err == nil && len(scopes) == len(c.Kinds) && (c.Path == "" || scopes[0].Names != "")
		})
		if !found {
			t.Errorf("no sample of %s %q %s gives a scope with a name", c.Source, c.DetailType, c.Name)
		}
	}
}

// Parse ignores every refused call, regardless of what it would have done.
func TestRefusedCalls(t *testing.T) {
	for _, name := range events.All() {
		if ev, err := trigger.Parse(events.Read(name)); err != nil || len(ev.Scopes) == 0 {
			continue
		}
		raw := strings.Replace(string(events.Read(name)), `"detail": {`, `"detail": {"errorCode": "AccessDenied",`, 1)
		if ev, err := trigger.Parse([]byte(raw)); !errors.Is(err, trigger.ErrIgnored) || !strings.Contains(err.Error(), "was refused with AccessDenied") || len(ev.Scopes) > 0 {
			t.Errorf("%s, refused: %v, %v, want it ignored", name, ev.Scopes, err)
		}
	}
}

// envelope returns a DeleteAlarms event with the given fields in its detail.
func envelope(fields string) []byte {
	return fmt.Appendf(nil, `{"id":"e","detail-type":%q,"source":"aws.monitoring","account":%q,"time":"2026-03-03T12:00:00Z","region":%q,
		"detail":{"eventName":"DeleteAlarms"%s}}`, catalog.APICall, account, home, fields)
}

// Names have more forms than the samples show. Parse widens the scope if it
// cannot read a value or if the value is not a name.
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

// EC2 accepts wildcards in filters, so a name with a wildcard would match
// resources that the event does not name.
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

// A call that does no harm has no advice. relight's own repair is such a call.
func TestHarmless(t *testing.T) {
	for sample, advised := range map[string]bool{
		"PutLogGroupDeletionProtection.flow-logs.json": true,
		"PutLogGroupDeletionProtection.echo.json":      false,
		"DeleteLogStream.trail.json":                   true,
		"DeleteAlarms.one.json":                        false,
	} {
		ev, err := trigger.Parse(events.Read(sample))
		if err != nil || (ev.Cause.Advice != "") != advised {
			t.Errorf("%s: %v, advice %q; want advice: %t", sample, err, ev.Cause.Advice, advised)
		}
	}
	raw := strings.Replace(string(events.Read("PutLogGroupDeletionProtection.echo.json")), `"deletionProtectionEnabled": true`, `"deletionProtectionEnabled": null`, 1)
	if ev, err := trigger.Parse([]byte(raw)); err != nil || ev.Cause.Advice == "" {
		t.Errorf("a call without the parameter counts as harmless: %v", err)
	}
}

// Some calls accept the ARN of a log group instead of its name.
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
			t.Errorf("%s: %v, names %q in the scope and %q in the cause; want %q", identifier, err, ev.Scopes[0].Names, ev.Cause.Names, want)
		}
	}
}

// Lambda accepts the name of a function in several forms, with or without a version.
// SQS names a queue by its URL.
func TestFunctionsAndQueues(t *testing.T) {
	for sample, forms := range map[string]map[string]string{
		"PutFunctionConcurrency20171031.ours.json": functionForms,
		"UpdateFunctionCode20150331v2.ours.json":   functionForms,
		"DeleteQueue.ours.json": {
			"https://sqs.eu-west-1.amazonaws.com/111122223333/checkout":       "checkout",
			"https://queue.amazonaws.com/111122223333/checkout.fifo":          "checkout.fifo",
			"https://sqs.us-east-1.amazonaws.com/111122223333/":               "",
			"https://sqs.us-east-1.amazonaws.com/111122223333/check%20out":    "",
			"https://sqs.us-east-1.amazonaws.com/111122223333/relight-alarms": "relight-alarms",
		},
	} {
		for form, want := range forms {
			raw := regexp.MustCompile(`"(functionName|queueUrl)": "[^"]*"`).ReplaceAllString(string(events.Read(sample)), `"$1": "`+form+`"`)
			ev, err := trigger.Parse([]byte(raw))
			if err != nil || string(ev.Scopes[0].Names) != want {
				t.Errorf("%s, %s: %v, names %q, want %q", sample, form, err, ev.Scopes[0].Names, want)
			}
		}
	}
}

var functionForms = map[string]string{
	"checkout":                       "checkout",
	"checkout:prod":                  "checkout",
	"function:1":                     "function",
	"111122223333:function:checkout": "checkout",
	"arn:aws:lambda:us-east-1:111122223333:function:checkout":   "checkout",
	"arn:aws:lambda:us-east-1:111122223333:function:checkout:7": "checkout",
	"arn:aws:lambda:us-east-1:111122223333:function:":           "",
	"check*": "",
}

// What CloudFormation does to relight's own stack is a deployment, and has no
// advice. Who merely says so in a name, or in the request, does not count.
func TestDeployments(t *testing.T) {
	ours, byIt := string(events.Read("UpdateFunctionCode20150331v2.ours.json")), string(events.Read("UpdateFunctionCode20150331v2.cloudformation.json"))
	address := func(raw, to string) string {
		return regexp.MustCompile(`"sourceIPAddress": "[^"]*"`).ReplaceAllString(raw, `"sourceIPAddress": "`+to+`"`)
	}
	for what, test := range map[string]struct {
		raw     string
		advised bool
	}{
		"a person":                 {ours, true},
		"CloudFormation":           {byIt, false},
		"by the address":           {address(ours, "cloudformation.amazonaws.com"), false},
		"for a caller":             {address(byIt, "203.0.113.45"), false},
		"another service":          {address(ours, "codepipeline.amazonaws.com"), true},
		"a session of that name":   {strings.ReplaceAll(ours, "Mary_Major", "cloudformation.amazonaws.com"), true},
		"a user agent":             {regexp.MustCompile(`"userAgent": "[^"]*"`).ReplaceAllString(ours, `"userAgent": "cloudformation.amazonaws.com"`), true},
		"a host of a longer name":  {address(ours, "cloudformation.amazonaws.com.example.com"), true},
		"an address of odd type":   {regexp.MustCompile(`"sourceIPAddress": "[^"]*"`).ReplaceAllString(ours, `"sourceIPAddress": ["cloudformation.amazonaws.com"]`), true},
		"a call without exception": {address(string(events.Read("DeleteLogStream.trail.json")), "cloudformation.amazonaws.com"), true},
	} {
		ev, err := trigger.Parse([]byte(test.raw))
		if err != nil || (ev.Cause.Advice != "") != test.advised {
			t.Errorf("%s: %v, advice %q; want advice: %t", what, err, ev.Cause.Advice, test.advised)
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
		`,"eventTime":"2026-03-03T11:59:58Z","sourceIPAddress":"192.0.2.1","userIdentity":{"arn":"arn:a","invokedBy":"x"}`: {Actor: "arn:a, through x", SourceIP: "192.0.2.1", Time: at("2026-03-03T11:59:58Z")},
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

// A message names the caller as far as the record does, whatever the type of
// its identity.
func TestActor(t *testing.T) {
	for sample, want := range map[string]string{
		"PutBucketPolicy.other-account.json":      "principal AIDACKCEVSQ6C2EXAMPLE of account 444455556666",
		"PutBucketPolicy.other-account-role.json": "principal AROADBQP57FF2AEXAMPLE:deploy of account 444455556666",
		"PutBucketPolicy.anonymous.json":          "an anonymous caller",
		"PutBucketPolicy.identity-center.json":    "Identity Center user 544894e8-80c1-707f-60e3-3ba6510dfac1 of d-9067642ac7",
		"PutBucketPolicy.saml.json":               `SAML user "SamlExample" of SampleUkh1i4+ExamplexL/jEvs=`,
		"PutBucketPolicy.web-identity.json":       `web identity user "WebIdentityExample" of accounts.google.com`,
		"PutBucketPolicy.source-identity.json":    `arn:aws:sts::111122223333:assumed-role/platform-deploy/session, source identity "Alice"`,
		"PutBucketPolicy.service-for-role.json":   "arn:aws:iam::111122223333:role/platform-deploy, through cloudformation.amazonaws.com",
		"PutBucketPolicy.on-behalf-of.json":       "arn:aws:sts::111122223333:assumed-role/platform-deploy/session, on behalf of Identity Center user 544894e8-80c1-707f-60e3-3ba6510dfac1 of d-9067642ac7",
	} {
		ev, err := trigger.Parse(events.Read(sample))
		if err != nil || ev.Cause.Actor != want {
			t.Errorf("%s: actor %q, %v; want %q", sample, ev.Cause.Actor, err, want)
		}
	}
	for fields, want := range map[string]string{
		`{"type":"AWSService","invokedBy":"ec2.amazonaws.com"}`:                        "ec2.amazonaws.com",
		`{"type":"AWSAccount","accountId":"444455556666"}`:                             "account 444455556666",
		`{"type":"AWSAccount","principalId":"AIDAX"}`:                                  "principal AIDAX",
		`{"type":"IAMUser","userName":"Alice","accountId":"111122223333"}`:             `user "Alice" of account 111122223333`,
		`{"type":"SomethingNew","principalId":"P","accountId":"111122223333"}`:         "principal P of account 111122223333",
		`{"type":"WebIdentityUser","principalId":"accounts.google.com:app.apps:user"}`: "web identity user accounts.google.com:app.apps:user",
		`{"type":"IdentityCenterUser","accountId":"111122223333"}`:                     "account 111122223333",
		`{"type":"IdentityCenterUser","onBehalfOf":{"userId":"u"}}`:                    "Identity Center user u",
		`{"type":"SAMLUser","userName":"x\"y/relight-alarms","identityProvider":""}`:   `SAML user "x\"y/relight-alarms"`,
		`{"type":"SAMLUser"}`:                                "",
		`{"type":"SAMLUser","userName":7,"principalId":"P"}`: "SAML user P",
		`{"type":"AWSAccount","accountId":"444455556666","sessionContext":{"sourceIdentity":"Alice"}}`: `account 444455556666, source identity "Alice"`,

		`{"type":"Root","arn":"arn:aws:iam::111122223333:root","accountId":"111122223333"}`:                                         "arn:aws:iam::111122223333:root",
		`{"type":"Root","accountId":"111122223333","userName":"my-alias"}`:                                                          "the root user of account 111122223333",
		`{"type":"Root","principalId":"111122223333"}`:                                                                              "the root user",
		`{"type":"Root","arn":"arn:r","sessionContext":{"assumedRoot":"true"}}`:                                                     "arn:r, in a session of AssumeRoot",
		`{"type":"AssumedRole","arn":"arn:r","sessionContext":{"assumedRoot":true}}`:                                                "arn:r, in a session of AssumeRoot",
		`{"type":"AssumedRole","arn":"arn:r","sessionContext":{"assumedRoot":false}}`:                                               "arn:r",
		`{"type":"Role","arn":"arn:aws:iam::111122223333:role/a/b"}`:                                                                "arn:aws:iam::111122223333:role/a/b",
		`{"type":"FederatedUser","arn":"arn:f","sessionContext":{"sessionIssuer":{"arn":"arn:alice"}}}`:                             "arn:f, with credentials of arn:alice",
		`{"type":"FederatedUser","sessionContext":{"sessionIssuer":{"arn":"arn:alice"}}}`:                                           "arn:alice",
		`{"type":"AssumedRole","arn":"arn:r","sessionContext":{"sessionIssuer":{"arn":"arn:r0"}}}`:                                  "arn:r",
		`{"type":"AssumedRole","arn":"arn:r","sessionContext":{"webIdFederationData":{"federatedProvider":"accounts.google.com"}}}`: "arn:r, federated by accounts.google.com",
		`{"type":"AssumedRole","arn":"arn:r","sessionContext":{"webIdFederationData":{},"sessionIssuer":{}}}`:                       "arn:r",
		`{"type":"AssumedRole","arn":"arn:r","invokedByDelegate":{"accountId":"444455556666"}}`:                                     "arn:r, delegated to account 444455556666",
		`{"type":"AWSService","accountId":"444455556666","invokedBy":"AWS Internal"}`:                                               "account 444455556666, through AWS Internal",
		`{"type":"Directory","userName":"a@example.com","accountId":"111122223333"}`:                                                `user "a@example.com" of account 111122223333`,
		`{"type":"Unknown","accountId":"111122223333"}`:                                                                             "account 111122223333",
		`{"type":"Unknown"}`: "",
		`{"type":"AssumedRole","arn":"arn:r","inScopeOf":{"issuerType":"AWS::Lambda::Function","credentialsIssuedTo":"arn:l"}}`: "arn:r",

		// What a caller chose can look like no other part of the text.
		`{"arn":"arn:aws:iam::111122223333:user/a by b\n/c"}`:                                       `"arn:aws:iam::111122223333:user/a by b\n/c"`,
		`{"type":"SAMLUser","principalId":"x, through cloudformation.amazonaws.com"}`:               `SAML user "x, through cloudformation.amazonaws.com"`,
		`{"type":"AWSAccount","principalId":"A:\u202eb\u2028","accountId":"1 of 2"}`:                `principal "A:\u202eb\u2028" of account "1 of 2"`,
		`{"type":"IdentityCenterUser","onBehalfOf":{"userId":"u of v","identityStoreArn":"a/b c"}}`: `Identity Center user "u of v" of "b c"`,
		`{"type":"IAMUser","userName":"` + strings.Repeat("a", 100_000) + `"}`:                      `user "` + strings.Repeat("a", 100_000) + `"`,
	} {
		ev, err := trigger.Parse(envelope(`,"userIdentity":` + fields))
		if err != nil || ev.Cause.Actor != want {
			t.Errorf("%.200s: actor %.200q, %v; want %.200q", fields, ev.Cause.Actor, err, want)
		}
	}
}

// AWS sets the account and the region of the envelope, so Parse rejects values
// of another shape.
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
				_, _ = trigger.Parse(raw) // Parse returns an error for some samples
			}
		})
	}
}
