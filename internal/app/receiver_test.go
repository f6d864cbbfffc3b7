package app_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/relight-aws/relight/events"
	"github.com/relight-aws/relight/internal/app"
	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/config"
)

const (
	pager     = "arn:aws:lambda:us-east-1:111122223333:function:pager"
	pagerLive = pager + ":live"
	queueKey  = "arn:aws:kms:us-east-1:111122223333:key/77777777-5e6f-4a7b-8c9d-0e1f2a3b4c5d"
	snsKey    = `{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},"Action":["kms:Decrypt","kms:GenerateDataKey*"],"Resource":"*"}`
)

// addFunction makes the function of an ARN, with an alias if the ARN names one.
func (w *world) addFunction(endpoint string) {
	w.t.Helper()
	at := must(arn.Parse(endpoint))
	name, alias, _ := strings.Cut(strings.TrimPrefix(at.Resource, "function:"), ":")
	w.AddFunction(at.Region, name, alias)
}

// permit lets a topic invoke a function.
func (w *world) permit(function, topic string) {
	w.t.Helper()
	at := must(arn.Parse(function))
	must(w.In(at.Region).Lambda.AddPermission(w.t.Context(), &lambda.AddPermissionInput{
		FunctionName: &function, StatementId: aws.String("topic"), Action: aws.String("lambda:InvokeFunction"),
		Principal: aws.String("sns.amazonaws.com"), SourceArn: &topic,
	}))
}

// setQueue sets attributes of a queue.
func (w *world) setQueue(queue string, attributes map[string]string) {
	w.t.Helper()
	at := must(arn.Parse(queue))
	c := w.In(at.Region).SQS
	url := must(c.GetQueueUrl(w.t.Context(), &sqs.GetQueueUrlInput{QueueName: &at.Resource})).QueueUrl
	must(c.SetQueueAttributes(w.t.Context(), &sqs.SetQueueAttributesInput{QueueUrl: url, Attributes: attributes}))
}

// allowTo returns a policy with a statement for SNS, which the rest changes, and
// with further statements.
func allowTo(action, resource, rest string, more ...string) string {
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(append([]string{
		`{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},"Action":"` + action + `","Resource":"` + resource + `"` + rest + `}`,
	}, more...), ",") + `]}`
}

func denyTo(action, resource, rest string) string {
	return `{"Effect":"Deny","Principal":"*","Action":"` + action + `","Resource":"` + resource + `"` + rest + `}`
}

func when(operator, key, value string) string {
	return fmt.Sprintf(`,"Condition":{%q:{%q:%q}}`, operator, key, value)
}

// A receiver is a change of a subscribed queue or function.
type receiver struct {
	change func(w *world, endpoint, topic string)
	deaf   string // what relight says about it on its own topic; "" if it receives every message
}

// queuePolicy gives a queue a policy, functionPolicy gives one to a function.
func queuePolicy(of func(queue, topic string) string) func(*world, string, string) {
	return func(w *world, queue, topic string) { w.setQueue(queue, map[string]string{"Policy": of(queue, topic)}) }
}

func functionPolicy(of func(function, topic string) string) func(*world, string, string) {
	return func(w *world, function, topic string) {
		must(w.Lambda.PutResourcePolicy(w.t.Context(), &lambda.PutResourcePolicyInput{ResourceArn: &function, Policy: aws.String(of(function, topic))}))
	}
}

// queueKeyed encrypts a queue with a key whose policy has these statements.
func queueKeyed(change func(*world), statements ...string) func(*world, string, string) {
	return func(w *world, queue, _ string) {
		w.AddKey(queueKey)
		must(w.KMS.PutKeyPolicy(w.t.Context(), &kms.PutKeyPolicyInput{
			KeyId: aws.String(queueKey), Policy: aws.String(`{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`),
		}))
		w.setQueue(queue, map[string]string{"KmsMasterKeyId": queueKey})
		if change != nil {
			change(w)
		}
	}
}

const (
	queueCloses    = "its policy does not allow sns.amazonaws.com sqs:SendMessage"
	queueDenies    = "its policy denies sns.amazonaws.com sqs:SendMessage"
	queueMayDeny   = "its policy can deny sns.amazonaws.com sqs:SendMessage"
	functionCloses = "its policy does not allow sns.amazonaws.com lambda:InvokeFunction"
	functionDenies = "its policy denies sns.amazonaws.com lambda:InvokeFunction"
	noPolicy       = "it does not exist, or has no policy"
	queueUnread    = "relight cannot read whether it receives every message"
)

var queues = map[string]receiver{
	"admits the topic": {func(*world, string, string) {}, ""},
	"admits it by its account": {queuePolicy(func(q, _ string) string {
		return allowTo("sqs:SendMessage", q, when("StringEquals", "aws:SourceAccount", account))
	}), ""},
	"admits every topic": {queuePolicy(func(q, _ string) string { return allowTo("SQS:*", q, "") }), ""},
	"admits any principal": {queuePolicy(func(q, t string) string {
		return strings.Replace(allowTo("sqs:SendMessage", q, when("ArnEquals", "aws:SourceArn", t)), `{"Service":"sns.amazonaws.com"}`, `"*"`, 1)
	}), ""},
	"denies plain text": {queuePolicy(func(q, _ string) string {
		return allowTo("sqs:SendMessage", q, "", denyTo("sqs:*", q, when("Bool", "aws:SecureTransport", "false")))
	}), ""},
	"denies other topics": {queuePolicy(func(q, t string) string {
		return allowTo("sqs:SendMessage", q, "", denyTo("sqs:SendMessage", q, when("ArnNotEquals", "aws:SourceArn", t)))
	}), ""},
	"encrypted by SQS": {func(w *world, q, _ string) { w.setQueue(q, map[string]string{"SqsManagedSseEnabled": "true"}) }, ""},
	"encrypted":        {queueKeyed(nil, snsKey), ""},
	"encrypted, key by its alias": {func(w *world, q, t string) {
		queueKeyed(nil, snsKey)(w, q, t)
		w.AddAlias("alias/queue", queueKey)
		w.setQueue(q, map[string]string{"KmsMasterKeyId": "alias/queue"})
	}, ""},
	"encrypted, for this topic": {queueKeyed(nil, strings.TrimSuffix(snsKey, "}")+when("StringEquals", "aws:SourceAccount", account)+"}"), ""},

	"has no policy":              {func(w *world, q, _ string) { w.setQueue(q, map[string]string{"Policy": ""}) }, queueCloses},
	"policy that cannot be read": {queuePolicy(func(string, string) string { return `{"Statement":7}` }), "its policy cannot be read"},
	"admits another topic": {queuePolicy(func(q, t string) string {
		return allowTo("sqs:SendMessage", q, when("ArnEquals", "aws:SourceArn", t+"2"))
	}), queueCloses},
	"admits another account": {queuePolicy(func(q, _ string) string {
		return allowTo("sqs:SendMessage", q, when("StringEquals", "aws:SourceAccount", other))
	}), queueCloses},
	"admits the organisation": {queuePolicy(func(q, _ string) string {
		return allowTo("sqs:SendMessage", q, when("StringEquals", "aws:PrincipalOrgID", "o-1"))
	}), queueCloses},
	"admits for another queue": {queuePolicy(func(q, _ string) string { return allowTo("sqs:SendMessage", q+"2", "") }), queueCloses},
	"admits another action":    {queuePolicy(func(q, _ string) string { return allowTo("sqs:ReceiveMessage", q, "") }), queueCloses},
	"admits another service": {queuePolicy(func(q, _ string) string {
		return strings.Replace(allowTo("sqs:SendMessage", q, ""), "sns.", "events.", 1)
	}), queueCloses},
	"admits a regional principal": {queuePolicy(func(q, _ string) string {
		return strings.Replace(allowTo("sqs:SendMessage", q, ""), "sns.", "sns.us-east-1.", 1)
	}), queueCloses},
	"admits the account's people": {queuePolicy(func(q, _ string) string {
		return strings.Replace(allowTo("sqs:SendMessage", q, ""), `"Service":"sns.amazonaws.com"`, `"AWS":"arn:aws:iam::111122223333:root"`, 1)
	}), queueCloses},
	"denies everybody": {queuePolicy(func(q, _ string) string { return allowTo("sqs:SendMessage", q, "", denyTo("sqs:*", q, "")) }), queueDenies},
	"denies this topic": {queuePolicy(func(q, t string) string {
		return allowTo("sqs:SendMessage", q, "", denyTo("sqs:SendMessage", q, when("ArnLike", "aws:SourceArn", t)))
	}), queueDenies},
	"denies strangers": {queuePolicy(func(q, _ string) string {
		return allowTo("sqs:SendMessage", q, "", denyTo("sqs:*", q, when("StringNotEquals", "aws:PrincipalOrgID", "o-1")))
	}), queueDenies},
	"denies since a time": {queuePolicy(func(q, _ string) string {
		return allowTo("sqs:SendMessage", q, "", denyTo("sqs:*", q, when("DateGreaterThan", "aws:CurrentTime", "2020-01-01T00:00:00Z")))
	}), queueMayDeny},
	"is gone":   {func(w *world, q, _ string) { w.DeleteQueue(q) }, "its queue does not exist, or relight has no access to it"},
	"AWS's key": {func(w *world, q, _ string) { w.setQueue(q, map[string]string{"KmsMasterKeyId": "alias/aws/sqs"}) }, "its queue is encrypted with alias/aws/sqs, and SNS may not use a key that AWS manages"},
	"AWS's key, by its ID": {queueKeyed(func(w *world) {
		w.setQueue(oncall, map[string]string{"KmsMasterKeyId": queueKey[strings.LastIndex(queueKey, "/")+1:]})
	}, `{"Effect":"Allow","Principal":{"AWS":"*"},"Action":["kms:Decrypt","kms:GenerateDataKey*"],"Resource":"*","Condition":{"StringEquals":{"kms:CallerAccount":"111122223333","kms:ViaService":"sqs.us-east-1.amazonaws.com"}}}`), "the key's policy does not allow sns.amazonaws.com kms:Decrypt"},
	"key that closes":             {queueKeyed(nil, strings.Replace(snsKey, "sns.", "events.", 1)), "its queue is encrypted with " + queueKey + ", and the key's policy does not allow sns.amazonaws.com kms:Decrypt"},
	"key without GenerateDataKey": {queueKeyed(nil, strings.Replace(snsKey, "kms:GenerateDataKey*", "kms:Encrypt", 1)), "the key's policy does not allow sns.amazonaws.com kms:GenerateDataKey"},
	"key that denies":             {queueKeyed(nil, snsKey, `{"Effect":"Deny","Principal":"*","Action":"kms:Decrypt","Resource":"*"}`), "the key's policy denies sns.amazonaws.com kms:Decrypt"},
	"key disabled":                {queueKeyed(func(w *world) { w.SetKeyState(queueKey, kmstypes.KeyStateDisabled) }, snsKey), "the key's state is Disabled"},
	"key waits for its deletion":  {queueKeyed(func(w *world) { w.SetKeyState(queueKey, kmstypes.KeyStatePendingDeletion) }, snsKey), "the key's state is PendingDeletion"},
	"key gone":                    {func(w *world, q, _ string) { w.setQueue(q, map[string]string{"KmsMasterKeyId": queueKey}) }, "the key's state is Deleted"},

	"out of reach":             {func(w *world, _, _ string) { w.Deny("GetQueueAttributes") }, queueUnread},
	"its address out of reach": {func(w *world, _, _ string) { w.Deny("GetQueueUrl") }, queueUnread},
	"key out of reach":         {queueKeyed(func(w *world) { w.Fail("GetKeyPolicy", slices.Repeat([]string{"AccessDeniedException"}, 9)...) }, snsKey), queueUnread},
}

var functions = map[string]receiver{
	"admits the topic": {func(*world, string, string) {}, ""},
	"admits the account": {functionPolicy(func(f, _ string) string {
		return allowTo("lambda:InvokeFunction", f, when("StringEquals", "AWS:SourceAccount", account))
	}), ""},
	"admits every topic": {functionPolicy(func(f, _ string) string { return allowTo("lambda:InvokeFunction", f, "") }), ""},
	"denies another topic": {functionPolicy(func(f, t string) string {
		return allowTo("lambda:InvokeFunction", f, "", denyTo("lambda:InvokeFunction", f, when("ArnLike", "aws:SourceArn", t+"2")))
	}), ""},
	"admits another topic": {functionPolicy(func(f, t string) string {
		return allowTo("lambda:InvokeFunction", f, when("ArnLike", "AWS:SourceArn", t+"2"))
	}), functionCloses},
	"admits another account": {functionPolicy(func(f, _ string) string {
		return allowTo("lambda:InvokeFunction", f, when("StringEquals", "AWS:SourceAccount", other))
	}), functionCloses},
	"admits by a token": {functionPolicy(func(f, _ string) string {
		return allowTo("lambda:InvokeFunction", f, when("StringEquals", "lambda:EventSourceToken", "x"))
	}), functionCloses},
	"admits its URL": {functionPolicy(func(f, _ string) string { return allowTo("lambda:InvokeFunctionUrl", f, "") }), functionCloses},
	"admits another service": {functionPolicy(func(f, _ string) string {
		return strings.Replace(allowTo("lambda:InvokeFunction", f, ""), "sns.", "s3.", 1)
	}), functionCloses},
	"denies everybody": {functionPolicy(func(f, _ string) string { return allowTo("lambda:InvokeFunction", f, "", denyTo("lambda:*", f, "")) }), functionDenies},
	"denies the topic": {functionPolicy(func(f, t string) string {
		return allowTo("lambda:InvokeFunction", f, "", denyTo("lambda:InvokeFunction", f, when("ArnLike", "aws:SourceArn", t)))
	}), functionDenies},
	"permission removed": {func(w *world, f, _ string) {
		must(w.Lambda.RemovePermission(w.t.Context(), &lambda.RemovePermissionInput{FunctionName: &f, StatementId: aws.String("topic")}))
	}, noPolicy},
	"is gone": {func(w *world, _, _ string) { w.DeleteFunction(home, "pager") }, noPolicy},
	"policy out of reach": {func(w *world, _, _ string) {
		w.Fail("GetPolicy", slices.Repeat([]string{"AccessDeniedException"}, 9)...)
	}, queueUnread},
}

// versions are changes of a function of which an alias is subscribed.
var versions = map[string]receiver{
	"admits the topic": {func(*world, string, string) {}, ""},
	"only the function admits": {func(w *world, f, t string) {
		must(w.Lambda.RemovePermission(w.t.Context(), &lambda.RemovePermissionInput{FunctionName: &f, StatementId: aws.String("topic")}))
		w.permit(pager, t)
	}, noPolicy},
	"only the function admits, by a wildcard": {func(w *world, f, t string) {
		must(w.Lambda.RemovePermission(w.t.Context(), &lambda.RemovePermissionInput{FunctionName: &f, StatementId: aws.String("topic")}))
		functionPolicy(func(f, _ string) string { return allowTo("lambda:InvokeFunction", f+":*", "") })(w, pager, t)
	}, noPolicy},
	"the function denies to every alias": {func(w *world, _, t string) {
		functionPolicy(func(f, _ string) string {
			return allowTo("lambda:InvokeFunction", f, "", denyTo("lambda:*", f+":*", ""))
		})(w, pager, t)
	}, functionDenies},
	"the function denies for itself": {func(w *world, _, t string) {
		functionPolicy(func(f, _ string) string { return allowTo("lambda:InvokeFunction", f, "", denyTo("lambda:*", f, "")) })(w, pager, t)
	}, ""},
}

// every runs a test for each change of a subscriber.
func every(t *testing.T, run func(t *testing.T, protocol, endpoint string, r receiver)) {
	t.Helper()
	for _, kind := range []struct {
		protocol, endpoint string
		all                map[string]receiver
	}{{"sqs", oncall, queues}, {"lambda", pager, functions}, {"lambda", pagerLive, versions}} {
		for name, r := range kind.all {
			t.Run(kind.endpoint[strings.LastIndex(kind.endpoint, ":")+1:]+" "+name, func(t *testing.T) { run(t, kind.protocol, kind.endpoint, r) })
		}
	}
}

// A subscriber of relight's topic whose queue or function does not let the topic
// in is a finding with what to add, in every sweep until somebody adds it. relight
// writes nothing.
func TestDeafSubscribers(t *testing.T) {
	t.Parallel()
	every(t, func(t *testing.T, protocol, endpoint string, r receiver) {
		w := healthy(t, `{"subscribers":[{"protocol":"`+protocol+`","endpoint":"`+endpoint+`"},{"protocol":"sms","endpoint":"+15555550100"}]}`)
		r.change(w, endpoint, w.topic)
		for range 2 {
			s := w.sweep(app.Request{Kinds: []catalog.Kind{catalog.Topics}})
			got := findings(s)
			if r.deaf == "" && got != "" || !strings.Contains(got, r.deaf) {
				t.Errorf("findings %q, want %q", got, r.deaf)
			}
			if r.deaf != "" && !strings.Contains(got, "subscriber "+protocol+" "+endpoint) || strings.Contains(got, "topic "+w.topic) {
				t.Errorf("findings %q, want one of the subscriber", got)
			}
			if s.Unrestored != 0 || s.Planned != 0 {
				t.Errorf("%d planned, %d unrestored %v", s.Planned, s.Unrestored, unrestored(s))
			}
		}
	})
}

// An alarm of somebody else whose topic's only subscriber is such a queue or
// function does not satisfy its control.
func TestDeafSubscribersOfTheirTopic(t *testing.T) {
	t.Parallel()
	c := catalog.Controls()[2]
	every(t, func(t *testing.T, protocol, endpoint string, r receiver) {
		w := deployed(t, "")
		topic := w.AddTopic(home, "theirs", 0)
		own := w.topic
		w.topic = topic
		w.subscribe(protocol, endpoint)
		w.topic = own
		w.putFilter(trailGroup, filterOf("their-filter", c.Pattern, "theirs", "root"))
		w.putAlarm(alarmOn("their-alarm", "theirs", "root", topic))
		r.change(w, endpoint, topic)
		for range 2 {
			if s := w.sweep(app.Request{Kinds: []catalog.Kind{catalog.LogGroups, catalog.Alarms}}); s.Unrestored != 0 || s.Findings != 0 {
				t.Errorf("left %d unrestored: %v, findings %q", s.Unrestored, unrestored(s), findings(s))
			}
			added := slices.ContainsFunc(w.Alarms(home), func(n string) bool { return strings.HasPrefix(n, "relight-"+c.ID) })
			if added != (r.deaf != "") {
				t.Errorf("relight added an alarm: %t, want %t", added, r.deaf != "")
			}
		}
	})
}

// What a finding says to do makes the subscriber hear.
func TestRemedyOfADeafSubscriber(t *testing.T) {
	t.Parallel()
	w := healthy(t, `{"subscribers":[{"protocol":"sqs","endpoint":"`+oncall+`"},{"protocol":"lambda","endpoint":"`+pagerLive+`"}]}`)
	w.setQueue(oncall, map[string]string{"Policy": ""})
	queueKeyed(nil, `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*"}`)(w, oncall, "")
	must(w.Lambda.RemovePermission(t.Context(), &lambda.RemovePermissionInput{FunctionName: aws.String(pagerLive), StatementId: aws.String("topic")}))
	s := w.sweep(app.Request{Kinds: []catalog.Kind{catalog.Topics}})
	done := map[string]bool{}
	for _, f := range s.Reports[0].Findings {
		done[f.Code] = true
		_, statement, _ := strings.Cut(f.Remedy, ": {")
		policy := `{"Statement":[{` + strings.TrimSuffix(statement, ".") + `]}`
		switch f.Code {
		case "subscriber-queue-closed":
			w.setQueue(oncall, map[string]string{"Policy": policy})
		case "subscriber-key-closed":
			must(w.KMS.PutKeyPolicy(t.Context(), &kms.PutKeyPolicyInput{KeyId: aws.String(queueKey), Policy: &policy}))
		case "subscriber-function-closed":
			_, command, _ := strings.Cut(f.Remedy, "aws lambda add-permission ")
			words := strings.Fields(strings.TrimSuffix(command, "."))
			option := map[string]*string{}
			for i := 0; i+1 < len(words); i += 2 {
				option[strings.TrimPrefix(words[i], "--")] = &words[i+1]
			}
			must(w.In(*option["region"]).Lambda.AddPermission(t.Context(), &lambda.AddPermissionInput{
				FunctionName: option["function-name"], StatementId: option["statement-id"], Action: option["action"],
				Principal: option["principal"], SourceArn: option["source-arn"],
			}))
		}
	}
	if len(done) != 4 || !done["topic-unheard"] {
		t.Errorf("findings %q, want one each of the queue, its key, the function and the topic", findings(s))
	}
	if got := findings(w.sweep(app.Request{Kinds: []catalog.Kind{catalog.Topics}})); got != "" {
		t.Errorf("then findings %q", got)
	}
}

// relight takes a queue or function of another account for one that hears: it
// confirmed with a token that the topic delivered. It says that it cannot read
// more, and does not count it on somebody else's topic.
func TestSubscriberOfAnotherAccount(t *testing.T) {
	t.Parallel()
	for protocol, endpoint := range map[string]string{"sqs": "arn:aws:sqs:us-east-1:" + other + ":central", "lambda": "arn:aws:lambda:us-east-1:" + other + ":function:central"} {
		w := healthy(t, `{"subscribers":[{"protocol":"`+protocol+`","endpoint":"`+endpoint+`"}]}`)
		before := w.Calls()
		s := w.sweep(app.Request{Kinds: []catalog.Kind{catalog.Topics}})
		if s.Findings != 0 || s.Planned != 0 {
			t.Errorf("%s: findings %q, %d planned", protocol, findings(s), s.Planned)
		}
		if used := w.Calls().Since(before); used["GetQueueUrl"]+used["GetPolicy"] > 0 {
			t.Errorf("%s: calls %v", protocol, used)
		}
		if text := strings.Join(s.Reports[0].Skipped, "\n"); !strings.Contains(text, endpoint+": its policy is account "+other+"'s") {
			t.Errorf("%s: skipped %q", protocol, text)
		}
	}
}

// A queue's key of another account is such a thing too.
func TestQueueKeyOfAnotherAccount(t *testing.T) {
	t.Parallel()
	w := healthy(t, "")
	w.setQueue(oncall, map[string]string{"KmsMasterKeyId": strings.Replace(queueKey, account, other, 1)})
	s := w.sweep(app.Request{Kinds: []catalog.Kind{catalog.Topics}})
	if text := strings.Join(s.Reports[0].Skipped, "\n"); s.Findings != 0 || !strings.Contains(text, oncall+": the policy of its key is account "+other+"'s") {
		t.Errorf("findings %q, skipped %q", findings(s), text)
	}
}

// SNS delivers between some regions under the name of one of them.
func TestSubscriberInAnotherRegion(t *testing.T) {
	t.Parallel()
	for region, service := range map[string]string{"eu-west-1": "sns.amazonaws.com", "eu-south-1": "sns.eu-south-1.amazonaws.com"} {
		queue := "arn:aws:sqs:" + region + ":" + account + ":far"
		w := deployed(t, "")
		w.AddRegion(region, "opted-in")
		w.config.Subscribers = nil
		w.subscribe("sqs", queue)
		w.config.Subscribers = append(w.config.Subscribers, config.Subscriber{Protocol: "sqs", Endpoint: queue})
		for _, principal := range []string{"sns.amazonaws.com", "sns.us-east-1.amazonaws.com", "sns." + region + ".amazonaws.com"} {
			w.setQueue(queue, map[string]string{"Policy": strings.Replace(allowTo("sqs:SendMessage", queue, ""), "sns.amazonaws.com", principal, 1)})
			s := w.sweep(app.Request{Kinds: []catalog.Kind{catalog.Topics}})
			if got := findings(s); (got == "") != (principal == service) {
				t.Errorf("%s admits %s: findings %q", queue, principal, got)
			} else if remedy := fmt.Sprintf("%+v", s.Reports[0].Findings); got != "" && !strings.Contains(remedy, `"Service":"`+service+`"`) {
				t.Errorf("%s: the remedy does not name %s: %s", queue, service, remedy)
			}
		}
	}
}

// If no configured subscriber hears, others count, as far as relight can show
// that they do. It reads a bounded number of them.
func TestWhoElseHears(t *testing.T) {
	t.Parallel()
	const nobody = "relight cannot show that any of its subscribers receives every message"
	stranger := func(i int) string { return fmt.Sprintf("arn:aws:sqs:us-east-1:111122223333:stranger-%d", i) }
	tests := map[string]struct {
		configured string
		arrange    func(w *world)
		want       string
		most       int // calls for queues
	}{
		"a queue that hears": {`[]`, func(w *world) { w.subscribe("sqs", stranger(1)) }, "", 2},
		"a queue that is deaf": {`[]`, func(w *world) {
			w.subscribe("sqs", stranger(1))
			w.setQueue(stranger(1), map[string]string{"Policy": ""})
		}, nobody, 2},
		"a queue that filters": {`[]`, func(w *world) {
			w.subscribe("sqs", stranger(1))
			w.setSubscription(stranger(1), "FilterPolicy", `{"a":["b"]}`)
		}, nobody, 0},
		"another account's subscription": {`[]`, func(w *world) {
			w.SubscribeFrom(other, w.topic, "sqs", "arn:aws:sqs:us-east-1:"+other+":q")
		}, nobody, 0},
		"a phone beside a deaf queue": {`[]`, func(w *world) {
			w.subscribe("sqs", stranger(1))
			w.setQueue(stranger(1), map[string]string{"Policy": ""})
			w.subscribe("sms", "+15555550100")
		}, "", 2},
		"a configured one hears": {`[{"protocol":"sms","endpoint":"+15555550100"}]`, func(w *world) { w.subscribe("sqs", stranger(1)) }, "", 0},
		"thousands that are deaf": {`[]`, func(w *world) {
			for i := range 2000 {
				w.subscribe("sqs", stranger(i))
				w.DeleteQueue(stranger(i))
			}
		}, nobody, 40},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := healthy(t, `{"subscribers":`+tt.configured+`}`)
			tt.arrange(w)
			w.PageSize(0)
			before := w.Calls()
			s := w.sweep(app.Request{Kinds: []catalog.Kind{catalog.Topics}})
			if got := findings(s); !strings.Contains(got, tt.want) || tt.want == "" && got != "" {
				t.Errorf("findings %q, want %q", got, tt.want)
			}
			used := w.Calls().Since(before)
			if n := used["GetQueueUrl"] + used["GetQueueAttributes"]; n > tt.most {
				t.Errorf("%d calls, want at most %d", n, tt.most)
			}
			if used["GetSubscriptionAttributes"] > 20 {
				t.Errorf("%d calls of GetSubscriptionAttributes", used["GetSubscriptionAttributes"])
			}
		})
	}
}

// A thousand subscribers of somebody else's topic cost no more than twenty.
func TestTheirCrowdedTopic(t *testing.T) {
	t.Parallel()
	c := catalog.Controls()[2]
	w := deployed(t, "")
	topic := w.AddTopic(home, "theirs", 1000)
	for i := range 1000 {
		w.DeleteQueue(fmt.Sprintf("arn:aws:sqs:us-east-1:111122223333:theirs%d", i))
	}
	w.putFilter(trailGroup, filterOf("their-filter", c.Pattern, "theirs", "root"))
	w.putAlarm(alarmOn("their-alarm", "theirs", "root", topic))
	w.PageSize(0)
	before := w.Calls()
	w.sweep(app.Request{Kinds: []catalog.Kind{catalog.LogGroups, catalog.Alarms}})
	if used := w.Calls().Since(before); used["GetSubscriptionAttributes"] > 2*20 || used["GetQueueUrl"] > 2*20 { // and once more after the repair
		t.Errorf("calls %v", used)
	}
}

// Several topics with one queue read the queue once.
func TestQueueIsReadOnce(t *testing.T) {
	t.Parallel()
	w := deployed(t, "")
	var topics []string
	for i, c := range catalog.Controls()[2:5] {
		topic := w.AddTopic(home, fmt.Sprint("theirs-", i), 0)
		topics = append(topics, topic)
		must(w.SNS.Subscribe(t.Context(), &sns.SubscribeInput{TopicArn: &topic, Protocol: aws.String("sqs"), Endpoint: aws.String(oncall)}))
		w.putFilter(trailGroup, filterOf(fmt.Sprint("their-filter-", i), c.Pattern, "theirs", fmt.Sprint("metric-", i)))
		w.putAlarm(alarmOn(fmt.Sprint("their-alarm-", i), "theirs", fmt.Sprint("metric-", i), topic))
	}
	w.AddQueue(home, "oncall", topics...)
	w.sweep(app.Request{Kinds: []catalog.Kind{catalog.LogGroups}})
	before := w.Calls()
	if s := w.sweep(app.Request{Kinds: []catalog.Kind{catalog.Alarms}, Mode: "plan"}); s.Unrestored != 0 {
		t.Error(unrestored(s))
	}
	if used := w.Calls().Since(before); used["GetTopicAttributes"] != 3 || used["GetQueueUrl"] != 1 || used["GetQueueAttributes"] != 1 {
		t.Errorf("calls %v", used)
	}
}

// Events read no queue. The sweep after them reports that the restored subscriber's
// lets nothing in, by message and once.
func TestDeafSubscriberAfterAnEvent(t *testing.T) {
	t.Parallel()
	w := healthy(t, "")
	w.setQueue(oncall, map[string]string{"Policy": ""})
	before := w.Calls()
	w.unsubscribe(oncall)
	w.send(events.Read("Unsubscribe.ours.json"), true)
	w.deleteAlarms(rootUsage)
	w.send(events.Read("DeleteAlarms.one.json"), true)
	if used := w.Calls().Since(before); used["GetQueueUrl"] > 0 || used["Subscribe"] != 1 {
		t.Errorf("calls %v", used)
	}
	for _, want := range []int{1, 0} {
		told := len(w.Messages())
		w.sweep(app.Request{})
		m := w.Messages()[told:]
		if len(m) != want || want > 0 && !strings.Contains(m[0].Text, "[subscriber-queue-closed] subscriber sqs "+oncall) {
			t.Errorf("messages %+v, want %d", m, want)
		}
	}
}
