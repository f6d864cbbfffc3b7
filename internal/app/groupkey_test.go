package app_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/relight-aws/relight/events"
	"github.com/relight-aws/relight/internal/app"
	"github.com/relight-aws/relight/internal/catalog"
)

// A key of the account that somebody put on a guarded log group: its policy as the
// CloudWatch Logs User Guide prints it.
const (
	newKey    = "arn:aws:kms:us-east-1:111122223333:key/77777777-5e6f-4a7b-8c9d-0e1f2a3b4c5d"
	keyRoot   = `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*"}`
	keyOfLogs = `{"Effect":"Allow","Principal":{"Service":"logs.us-east-1.amazonaws.com"},"Action":["kms:Encrypt*","kms:Decrypt*","kms:ReEncrypt*","kms:GenerateDataKey*","kms:Describe*"],` +
		`"Resource":"*","Condition":{"ArnLike":{"kms:EncryptionContext:aws:logs:arn":"arn:aws:logs:us-east-1:111122223333:*"}}}`
)

func (w *world) setKeyPolicy(key string, statements ...string) {
	w.t.Helper()
	must(w.KMS.PutKeyPolicy(w.t.Context(), &kms.PutKeyPolicyInput{
		KeyId: aws.String(key), Policy: aws.String(`{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`),
	}))
}

// A sweep reports a guarded log group whose key does not work, or shuts CloudWatch
// Logs or the account's owner out, and none whose key works.
func TestGroupKeys(t *testing.T) {
	t.Parallel()
	deny := func(rest string) string { return `{"Effect":"Deny","Principal":"*","Resource":"*",` + rest + `}` }
	policy := func(statements ...string) func(*world) {
		return func(w *world) { w.setKeyPolicy(newKey, statements...) }
	}
	for name, tt := range map[string]struct {
		arrange func(*world)
		want    string // "" for no finding
	}{
		"as printed":               {policy(keyRoot, keyOfLogs), ""},
		"any service":              {policy(keyRoot, strings.Replace(keyOfLogs, "logs.us-east-1.", "logs.", 1)), ""},
		"for this account":         {policy(keyRoot, strings.Replace(keyOfLogs, `"ArnLike"`, `"StringEquals":{"aws:SourceAccount":"111122223333"},"ArnLike"`, 1)), ""},
		"denied without TLS":       {policy(keyRoot, keyOfLogs, deny(`"Action":"kms:*","Condition":{"Bool":{"aws:SecureTransport":"false"}}`)), ""},
		"denied to others":         {policy(keyRoot, keyOfLogs, deny(`"Action":"kms:*","Condition":{"StringNotEquals":{"aws:PrincipalAccount":"111122223333"},"BoolIfExists":{"aws:PrincipalIsAWSService":"false"}}`)), ""},
		"deleting it denied":       {policy(keyRoot, keyOfLogs, deny(`"Action":["kms:ScheduleKeyDeletion","kms:DisableKey"]`)), ""},
		"disabled":                 {func(w *world) { w.SetKeyState(newKey, kmstypes.KeyStateDisabled) }, "its state is Disabled"},
		"waits for its deletion":   {func(w *world) { w.SetKeyState(newKey, kmstypes.KeyStatePendingDeletion) }, "its state is PendingDeletion"},
		"without material":         {func(w *world) { w.SetKeyState(newKey, kmstypes.KeyStatePendingImport) }, "its state is PendingImport"},
		"decrypting denied":        {policy(keyRoot, keyOfLogs, deny(`"Action":"kms:Decrypt"`)), "its policy denies logs.us-east-1.amazonaws.com kms:Decrypt"},
		"everything denied":        {policy(keyRoot, keyOfLogs, deny(`"NotAction":"kms:PutKeyPolicy"`)), "its policy denies logs.us-east-1.amazonaws.com kms:Encrypt"},
		"denied to the owner":      {policy(keyRoot, keyOfLogs, strings.Replace(deny(`"Action":"kms:D*"`), `"*"`, `{"AWS":"111122223333"}`, 1)), "its policy denies the account's owner kms:Decrypt"},
		"denied at times":          {policy(keyRoot, keyOfLogs, deny(`"Action":"kms:*","Condition":{"DateGreaterThan":{"aws:CurrentTime":"2020-01-01T00:00:00Z"}}`)), "its policy can deny logs.us-east-1.amazonaws.com kms:Encrypt"},
		"encrypting alone":         {policy(keyRoot, strings.Replace(keyOfLogs, `"kms:Decrypt*",`, "", 1)), "its policy does not allow logs.us-east-1.amazonaws.com kms:Decrypt"},
		"the account alone":        {policy(keyRoot), "its policy does not allow logs.us-east-1.amazonaws.com kms:Encrypt"},
		"another group":            {policy(keyRoot, strings.Replace(keyOfLogs, "111122223333:*", "111122223333:log-group:app", 1)), "its policy does not allow logs.us-east-1.amazonaws.com kms:Encrypt"},
		"another region's service": {policy(keyRoot, strings.Replace(keyOfLogs, "logs.us-east-1.", "logs.eu-west-1.", 1)), "its policy does not allow logs.us-east-1.amazonaws.com kms:Encrypt"},
		"unreadable":               {func(w *world) { w.setKeyPolicy(newKey, `{"Effect":"Allow","Principal":{"AWS":{}},"Action":"kms:*"}`) }, "its policy cannot be read"},
	} {
		for _, group := range []string{trailGroup, flowLogGroup} {
			t.Run(name+", "+group, func(t *testing.T) {
				w := healthy(t, few)
				w.encrypt(group, newKey)
				tt.arrange(w)
				said := ""
				for line := range strings.SplitSeq(findings(w.sweep(app.Request{})), "\n") {
					if strings.HasPrefix(line, "log group "+group+": ") && strings.Contains(line, newKey) && !strings.Contains(line, notConfigured) {
						said += line
					}
				}
				if !strings.Contains(said, tt.want) || tt.want == "" && said != "" {
					t.Errorf("findings %q, want %q", said, tt.want)
				}
			})
		}
	}
}

// Without a key on a guarded group, and with a key on another, a sweep reads no key
// but the topic's; with one key on both, it reads that key once for each kind.
func TestGroupKeysAreReadOnce(t *testing.T) {
	t.Parallel()
	w := healthy(t, few)
	w.PageSize(0)
	reads := func() int {
		before := w.Calls()
		w.sweep(app.Request{})
		return w.Calls().Since(before)["DescribeKey"]
	}
	none := reads()
	w.encrypt(foreignGroup, newKey)
	if n := reads(); n != none {
		t.Errorf("%d reads of keys for another group, want %d", n, none)
	}
	w.encrypt(trailGroup, newKey)
	w.encrypt(flowLogGroup, newKey)
	if n := reads(); n != none+2 {
		t.Errorf("%d reads of keys, want %d", n, none+2)
	}
}

// What happens to the key of a guarded log group is reported at once, although no
// configuration names the key, and so is that somebody put it there. Nothing is
// said of a key that no guarded group has.
func TestGroupKeyEvents(t *testing.T) {
	t.Parallel()
	event := func(source, name, params string) []byte {
		return []byte(`{"id":"e","detail-type":"AWS API Call via CloudTrail","source":"` + source + `","account":"111122223333","region":"us-east-1",
			"detail":{"eventName":"` + name + `","userIdentity":{"arn":"arn:aws:iam::111122223333:user/Alice"},"requestParameters":{` + params + `}}}`)
	}
	for _, group := range []string{trailGroup, flowLogGroup, foreignGroup} {
		for name, raw := range map[string][]byte{
			"AssociateKmsKey":     event("aws.logs", "AssociateKmsKey", `"logGroupName":"`+group+`","kmsKeyId":"`+newKey+`"`),
			"DisableKey":          event("aws.kms", "DisableKey", `"keyId":"`+newKey+`"`),
			"ScheduleKeyDeletion": event("aws.kms", "ScheduleKeyDeletion", `"keyId":"77777777-5e6f-4a7b-8c9d-0e1f2a3b4c5d"`),
			"PutKeyPolicy":        event("aws.kms", "PutKeyPolicy", `"keyId":"`+newKey+`","policy":"{}"`),
		} {
			t.Run(name+", "+group, func(t *testing.T) {
				w := healthy(t, few)
				w.encrypt(group, newKey)
				told := len(w.Messages())
				for _, k := range catalog.Kinds() {
					must(w.app(catalog.Function(k)).HandleEvent(t.Context(), raw))
				}
				said := w.told(told)
				if got := strings.Contains(said, "Notice: "+name+" of ") && strings.Contains(said, "user/Alice"); got != (group != foreignGroup) {
					t.Errorf("messages %q", said)
				}
			})
		}
	}
}

// Masks, account-wide transformers and classes of the log groups that flow logs go to
// are found in every region, not on the trail's group alone.
func TestFlowLogGroupsAreReadable(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		arrange func(*world, *cloudwatchlogs.Client, string)
		want    string
	}{
		"a mask": {func(w *world, c *cloudwatchlogs.Client, group string) {
			must(c.PutDataProtectionPolicy(w.t.Context(), &cloudwatchlogs.PutDataProtectionPolicyInput{LogGroupIdentifier: aws.String(group), PolicyDocument: aws.String("{}")}))
		}, "a data protection policy masks its logs"},
		"the account's mask": {func(w *world, c *cloudwatchlogs.Client, _ string) {
			must(c.PutAccountPolicy(w.t.Context(), &cloudwatchlogs.PutAccountPolicyInput{
				PolicyName: aws.String("mask"), PolicyType: logstypes.PolicyTypeDataProtectionPolicy, PolicyDocument: aws.String("{}"),
			}))
		}, "the account's data protection policy masks its logs"},
		"the account's transformer": {func(w *world, c *cloudwatchlogs.Client, group string) {
			must(c.PutAccountPolicy(w.t.Context(), &cloudwatchlogs.PutAccountPolicyInput{
				PolicyName: aws.String("slim"), PolicyType: logstypes.PolicyTypeTransformerPolicy, PolicyDocument: aws.String("{}"),
				SelectionCriteria: aws.String(`LogGroupNamePrefix IN ["` + group + `"]`),
			}))
		}, "the account-wide transformer policy slim rewrites its logs"},
		"a transformer of others": {func(w *world, c *cloudwatchlogs.Client, _ string) {
			must(c.PutAccountPolicy(w.t.Context(), &cloudwatchlogs.PutAccountPolicyInput{
				PolicyName: aws.String("slim"), PolicyType: logstypes.PolicyTypeTransformerPolicy, PolicyDocument: aws.String("{}"),
				SelectionCriteria: aws.String(`LogGroupNamePrefix IN ["/app"]`),
			}))
		}, ""},
		"another class": {func(w *world, c *cloudwatchlogs.Client, group string) {
			must(c.PutLogGroupDeletionProtection(w.t.Context(), &cloudwatchlogs.PutLogGroupDeletionProtectionInput{
				LogGroupIdentifier: aws.String(group), DeletionProtectionEnabled: aws.Bool(false),
			}))
			must(c.DeleteLogGroup(w.t.Context(), &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: aws.String(group)}))
			must(c.CreateLogGroup(w.t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String(group), LogGroupClass: logstypes.LogGroupClassInfrequentAccess}))
		}, "its class is INFREQUENT_ACCESS"},
		"nothing": {func(*world, *cloudwatchlogs.Client, string) {}, ""},
	} {
		for _, region := range []string{home, second} {
			t.Run(name+", "+region, func(t *testing.T) {
				w := healthy(t, few)
				tt.arrange(w, w.In(region).Logs, flowLogGroup)
				said := ""
				for _, r := range w.sweep(app.Request{}).Reports {
					for _, f := range r.Findings {
						if r.Region == region && strings.HasSuffix(f.Subject, flowLogGroup) {
							said += f.Problem
						}
					}
				}
				if !strings.Contains(said, tt.want) || tt.want == "" && said != "" {
					t.Errorf("findings %q, want %q", said, tt.want)
				}
			})
		}
	}
}

// notConfigured is what relight says of a key that it takes off its own log group.
const notConfigured = "which the configuration does not name"

// Another key on relight's own log group is replaced by what the configuration says,
// by the event and by a sweep, and people learn what only that key can read. An
// owner's log group keeps its key.
func TestForeignKeyOnOwnGroup(t *testing.T) {
	t.Parallel()
	keyed := strings.Replace(few, "{", `{"kmsKeys":{"us-east-1":"`+groupKey+`"},`, 1)
	raw := func(group string) []byte {
		return []byte(`{"id":"e","detail-type":"AWS API Call via CloudTrail","source":"aws.logs","account":"111122223333","region":"us-east-1",
			"detail":{"eventName":"AssociateKmsKey","userIdentity":{"arn":"arn:aws:iam::111122223333:user/Alice"},"requestParameters":{"logGroupName":"` + group + `","kmsKeyId":"` + newKey + `"}}}`)
	}
	for name, configuration := range map[string]string{"no key configured": few, "a key configured": keyed} {
		for of, group := range map[string]string{"flow logs'": flowLogGroup, "the trail's, which relight made": trailGroup, "the trail's, of an owner": trailGroup} {
			for _, by := range []string{"event", "sweep"} {
				t.Run(name+", "+of+", "+by, func(t *testing.T) {
					t.Parallel()
					w := healthy(t, configuration)
					own := of != "the trail's, of an owner"
					if own && group == trailGroup {
						w.deleteGroup(home, trailGroup)
						w.sweep(app.Request{})
						w.sweep(app.Request{})
					}
					before := w.group(home, group)
					w.encrypt(group, newKey)
					foreign := w.group(home, group)
					told := w.mailOf(func() {
						if by == "sweep" {
							w.sweep(app.Request{})
						} else {
							w.send(raw(group), true)
						}
					})
					want, says := before, "can be read only with that key"
					if !own {
						want = foreign
					}
					if got := w.group(home, group); got != want || foreign == before {
						t.Errorf("log group %s, want %s", got, want)
					}
					if strings.Contains(told, says) != own || own && !strings.Contains(told, newKey) {
						t.Errorf("people read %q", told)
					}
					if s := w.sweep(app.Request{}); s.Planned != 0 || own && s.Findings != 0 {
						t.Errorf("afterwards %+v", s)
					}
				})
			}
		}
	}
}

// One call puts relight's tag on a log group. That of an owner stays the owner's, with
// its key and without deletion protection, and no sweep remembers it as relight's. One
// that relight made again since is relight's.
func TestForgedTagOnTrailGroup(t *testing.T) {
	t.Parallel()
	for name, forge := range map[string]bool{"somebody's tag": true, "made again by relight": false} {
		t.Run(name, func(t *testing.T) {
			w := deployed(t, few)
			w.now = w.now.Add(time.Minute) // the log group is older than what relight remembers of it
			w.sweep(app.Request{})
			w.anHour()
			if forge {
				arn := "arn:aws:logs:" + home + ":" + account + ":log-group:" + trailGroup
				must(w.Logs.TagResource(t.Context(), &cloudwatchlogs.TagResourceInput{ResourceArn: aws.String(arn), Tags: map[string]string{"relight": "relight"}}))
			} else {
				w.deleteGroup(home, trailGroup)
				w.send(events.Read("DeleteLogGroup.trail.json"), true)
			}
			for range 2 {
				w.anHour()
				w.sweep(app.Request{})
			}
			before := w.group(home, trailGroup)
			w.encrypt(trailGroup, newKey)
			encrypted := w.group(home, trailGroup)
			w.send(events.Read("AssociateKmsKey.other-account-key.json"), true)
			w.anHour()
			w.sweep(app.Request{})
			want, remembered := encrypted, false
			if !forge {
				want, remembered = before, true
			}
			if got := w.group(home, trailGroup); got != want || strings.Contains(got, `"protected":true`) == forge {
				t.Errorf("log group %s, want %s", got, want)
			}
			if strings.Contains(w.memory(), "ownGroup") != remembered {
				t.Errorf("memory %s", w.memory())
			}
		})
	}
}
