package stack_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/relight-aws/relight/internal/catalog"
)

// Every queue that nothing reads and every function has an alarm, the sweep has
// alarms on what it could not restore and on its findings, and all of them
// notify the stack's own topic.
func TestAlarms(t *testing.T) {
	for _, a := range []app{defaults(), custom()} {
		for name, s := range a {
			topic, _ := s.named(t, "AWS::SNS::Topic", "Topic")
			want := map[string]bool{}
			for id := range s.of("AWS::SQS::Queue") {
				want["AWS/SQS ApproximateNumberOfMessagesVisible ${"+id+".QueueName} Maximum 1x60"] = true
			}
			for _, m := range s.of("AWS::Lambda::EventSourceMapping") {
				id := strings.TrimSuffix(text(m.Properties["EventSourceArn"]), ".Arn}")
				delete(want, "AWS/SQS ApproximateNumberOfMessagesVisible "+id+".QueueName} Maximum 1x60")
			}
			for _, fn := range s.of("AWS::Lambda::Function") {
				want["AWS/Lambda Errors "+text(fn.Properties["FunctionName"])+" Sum 1x300"] = true
			}
			switch name {
			case "relight":
				want["relight Unrestored relight-backfill Maximum 2x900"] = true
				want["relight Findings relight-backfill Maximum 1x900"] = true
				want["relight Untold null Maximum 1x900"] = true
				want["AWS/Lambda Invocations relight-backfill Sum 2x900"] = true
				want["relight Sweeps relight-backfill Sum 2x900"] = true
			case "acme":
				want["relight Unrestored acme-backfill Maximum 2x1800"] = true
				want["relight Findings acme-backfill Maximum 1x1800"] = true
				want["relight Untold null Maximum 1x1800"] = true
				want["AWS/Lambda Invocations acme-backfill Sum 2x1800"] = true
				want["relight Sweeps acme-backfill Sum 2x1800"] = true
				want["AWS/Lambda Invocations acme-audit Sum 2x21600"] = true
			}
			for id, alarm := range s.of("AWS::CloudWatch::Alarm") {
				p := alarm.Properties
				key := strings.Join([]string{
					text(p["Namespace"]), text(p["MetricName"]), text(at(p, "Dimensions", 0, "Value")), text(p["Statistic"]),
					text(p["EvaluationPeriods"]) + "x" + text(p["Period"]),
				}, " ")
				if !want[key] {
					t.Errorf("%s: %s watches %s, want one of %v", name, id, key, want)
				}
				delete(want, key)
				silence := text(p["Statistic"]) == "Sum" && text(p["EvaluationPeriods"]) == "2" // an alarm on what does not happen
				if !silence && (text(p["ComparisonOperator"]) != "GreaterThanThreshold" || seconds(p["Threshold"]) != 0) {
					t.Errorf("%s: %s is %v, want it above zero", name, id, p)
				}
				if silence && (text(p["ComparisonOperator"]) != "LessThanThreshold" || seconds(p["Threshold"]) != 1) {
					t.Errorf("%s: %s is %v, want it below one", name, id, p)
				}
				// A late sweep leaves a period of its metrics without data,
				// which does not mean that all is well.
				missing := "notBreaching"
				if text(p["Namespace"]) == catalog.MetricNamespace {
					missing = "ignore"
				}
				if silence {
					missing = "breaching"
				}
				if got := text(p["TreatMissingData"]); got != missing {
					t.Errorf("%s: %s treats missing data as %s, want %s", name, id, got, missing)
				}
				notifies := []string{ref(topic)}
				if slices.Contains(both, text(p["MetricName"])) {
					last, _ := s.named(t, "AWS::SNS::Topic", "LastResort")
					notifies = append(notifies, ref(last))
				}
				if got := texts(p["AlarmActions"]); !slices.Equal(got, notifies) {
					t.Errorf("%s: %s notifies %v, want %v", name, id, got, notifies)
				}
				if d := text(p["AlarmDescription"]); !strings.HasPrefix(d, "relight: ") || strings.Count(d, ".") < 1 {
					t.Errorf("%s: %s does not say what to do: %s", name, id, d)
				}
			}
			if len(want) > 0 {
				t.Errorf("%s: no alarm watches %v", name, want)
			}
		}
	}
}

// both are the metrics whose alarms notify the topic of last resort too: the topic
// may be what is broken.
var both = []string{"Untold", "Invocations", "Sweeps"}

// The topic of last resort has the policy of the topic and no key.
func TestLastResort(t *testing.T) {
	for _, a := range []app{defaults(), custom()} {
		for name, s := range a {
			if len(s.of("AWS::SNS::Topic")) == 1 { // a forwarder's
				continue
			}
			last, r := s.named(t, "AWS::SNS::Topic", "LastResort")
			topic, first := s.named(t, "AWS::SNS::Topic", "Topic")
			if r.Properties["KmsMasterKeyId"] != nil || text(r.Properties["Subscription"]) != text(first.Properties["Subscription"]) {
				t.Errorf("%s: %v", name, r.Properties)
			}
			_, policy := s.named(t, "AWS::SNS::TopicPolicy", "LastResort")
			_, firsts := s.named(t, "AWS::SNS::TopicPolicy", "Topic")
			if got, want := text(policy.Properties["PolicyDocument"]), text(firsts.Properties["PolicyDocument"]); got != strings.ReplaceAll(want, topic, last) {
				t.Errorf("%s: policy %s, want %s", name, got, want)
			}
		}
	}
}

// CloudWatch may publish to the topic, but only for alarms of this account and
// region. It may use the key that encrypts the topic, but only for topics of
// this account and region.
func TestTopic(t *testing.T) {
	for _, a := range []app{defaults(), custom()} {
		for name, s := range a {
			region := s.region
			topic, r := s.named(t, "AWS::SNS::Topic", "Topic")
			keyID, key := s.only(t, "AWS::KMS::Key")
			_, policy := s.named(t, "AWS::SNS::TopicPolicy", "Topic")
			if text(r.Properties["KmsMasterKeyId"]) != arn(keyID) || key.Properties["EnableKeyRotation"] != true {
				t.Errorf("%s: topic key %s, rotated %v", name, text(r.Properties["KmsMasterKeyId"]), key.Properties["EnableKeyRotation"])
			}
			admits := func(what string, statements []any, actions, when string) {
				for _, st := range statements {
					if at(st, "Principal", "Service") != "cloudwatch.amazonaws.com" {
						continue
					}
					if got := strings.Join(texts(at(st, "Action")), " "); got != actions {
						t.Errorf("%s: CloudWatch may %s with the %s, want %s", name, got, what, actions)
					}
					if got := whenOf(st); got != when {
						t.Errorf("%s: the %s admits CloudWatch when %s, want %s", name, what, got, when)
					}
					return
				}
				t.Errorf("%s: the %s does not admit CloudWatch", name, what)
			}
			admits("key", list(at(key.Properties, "KeyPolicy", "Statement")), "kms:Decrypt kms:GenerateDataKey*",
				"StringLike kms:EncryptionContext:aws:sns:topicArn arn:${AWS::Partition}:sns:"+region+":${AWS::AccountId}:*")
			admits("topic", list(at(policy.Properties, "PolicyDocument", "Statement")), "sns:Publish",
				"ArnLike aws:SourceArn arn:${AWS::Partition}:cloudwatch:"+region+":${AWS::AccountId}:alarm:*, "+
					"StringEquals aws:SourceAccount ${AWS::AccountId}")
			if got := text(at(policy.Properties, "Topics", 0)); got != ref(topic) {
				t.Errorf("%s: policy of %s, want %s", name, got, topic)
			}
			want := "null"
			if strings.HasPrefix(name, "acme") {
				want = `[{"Endpoint":"security@example.com","Protocol":"email"}]`
			}
			if got := text(r.Properties["Subscription"]); got != want {
				t.Errorf("%s: subscribers %s, want %s", name, got, want)
			}
		}
	}
}

// Each topic may invoke the subscribed functions of its own region, if they are of
// the account that is deployed to, and nobody else may. The permission outlives the
// stack if the topic does.
func TestFunctionsAdmitTheTopic(t *testing.T) {
	for _, f := range full {
		for name, s := range f.app() {
			topic, r := s.named(t, "AWS::SNS::Topic", "Topic")
			topics := map[string]bool{ref(topic): true}
			if s.region == f.home {
				last, _ := s.named(t, "AWS::SNS::Topic", "LastResort")
				topics[ref(last)] = true
			}
			var got []string
			for _, p := range s.of("AWS::Lambda::Permission") {
				if p.DeletionPolicy != r.DeletionPolicy || p.UpdateReplacePolicy != r.UpdateReplacePolicy {
					t.Errorf("%s: the permission is retained by %q and %q, the topic by %q and %q", name, p.DeletionPolicy, p.UpdateReplacePolicy, r.DeletionPolicy, r.UpdateReplacePolicy)
				}
				if len(p.Properties) != 4 || p.Properties["Action"] != "lambda:InvokeFunction" || p.Properties["Principal"] != "sns.amazonaws.com" || !topics[text(p.Properties["SourceArn"])] {
					t.Errorf("%s: permission %v", name, p.Properties)
				}
				got = append(got, text(p.Properties["FunctionName"])+" if "+text(s.Conditions[p.Condition]))
			}
			slices.Sort(got)
			function := func(account, rest string) string {
				return "arn:" + f.partition + ":lambda:" + s.region + ":" + account + ":function:oncall" + rest + ` if {"Fn::Equals":[{"Ref":"AWS::AccountId"},"` + account + `"]}`
			}
			want := map[string][]string{
				f.home: {function("111122223333", ""), function("444455556666", ":live")}, f.further: {function("111122223333", "")},
			}[s.region]
			want = slices.Sorted(slices.Values(slices.Repeat(want, len(topics)))) // each topic has the same subscribers here
			if !slices.Equal(got, want) {
				t.Errorf("%s admits its topic to %v, want %v", name, got, want)
			}
		}
	}
	if found := custom()["acme"].of("AWS::Lambda::Permission"); len(found) > 0 {
		t.Errorf("without a subscribed function: %v", found)
	}
}

// whenOf renders the conditions of a statement, sorted.
func whenOf(st any) string {
	var out []string
	operators, _ := at(st, "Condition").(map[string]any)
	for operator, keys := range operators {
		for key, value := range keys.(map[string]any) {
			out = append(out, operator+" "+key+" "+text(value))
		}
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

// The resources on which protected resources depend outlive the stack, under
// names that no later deployment uses. Nothing else outlives the stack.
func TestRetained(t *testing.T) {
	for _, a := range []app{defaults(), custom()} {
		for name, s := range a {
			var kept []string
			for id, r := range s.Resources {
				if r.DeletionPolicy == "" || r.DeletionPolicy == "Delete" {
					continue
				}
				if r.Type == "AWS::Logs::LogGroup" { // of the functions, each of which has one
					if !strings.HasSuffix(text(r.Properties["LogGroupName"]), stackPart) {
						t.Errorf("%s: %s is retained under a name that the next stack has too", name, id)
					}
					if slices.Contains(kept, r.Type) {
						continue
					}
				}
				kept = append(kept, r.Type)
				// A deployment that fails while it is created leaves nothing
				// behind.
				if r.DeletionPolicy != "RetainExceptOnCreate" || r.UpdateReplacePolicy != "Retain" {
					t.Errorf("%s: %s is retained by %s and %s", name, id, r.DeletionPolicy, r.UpdateReplacePolicy)
				}
				for _, property := range []string{"TopicName", "RoleName"} {
					if r.Properties[property] != nil {
						t.Errorf("%s: %s is retained under a fixed name: %v", name, id, r.Properties[property])
					}
				}
			}
			var want []string
			if name == "relight" || name == "acme" {
				want = []string{"AWS::IAM::Role", "AWS::KMS::Key", "AWS::Logs::LogGroup", "AWS::SNS::Topic", "AWS::SNS::Topic", "AWS::SNS::TopicPolicy", "AWS::SNS::TopicPolicy"}
			}
			slices.Sort(kept)
			if !slices.Equal(kept, want) {
				t.Errorf("%s retains %v, want %v", name, kept, want)
			}
		}
	}
}

func TestOutputs(t *testing.T) {
	s := defaults()["relight"].template
	topic, _ := s.named(t, "AWS::SNS::Topic", "Topic")
	if got := text(at(s.Outputs[catalog.OutputTopic], "Value")); got != ref(topic) {
		t.Errorf("output %s is %s, want %s", catalog.OutputTopic, got, ref(topic))
	}
	_, fn := s.function(t, "relight-backfill")
	want := text(at(fn.Properties, "Environment", "Variables", catalog.EnvDeliveryRole))
	if got := text(at(s.Outputs[catalog.OutputDeliveryRole], "Value")); got != want {
		t.Errorf("output %s is %s, want %s", catalog.OutputDeliveryRole, got, want)
	}
}

// Where a subscription has a filter policy, which keeps alarms out, every alarm of the home
// stack also notifies the topic of last resort. The topic itself has no filter policies:
// relight sets them.
func TestFilteredAlarmsNotifyBothTopics(t *testing.T) {
	for name, s := range full[0].app() {
		topic, _ := s.named(t, "AWS::SNS::Topic", "Topic")
		want := []string{ref(topic)}
		if s.region == full[0].home {
			last, _ := s.named(t, "AWS::SNS::Topic", "LastResort")
			want = append(want, ref(last))
		}
		for id, alarm := range s.of("AWS::CloudWatch::Alarm") {
			if got := texts(alarm.Properties["AlarmActions"]); !slices.Equal(got, want) {
				t.Errorf("%s: %s notifies %v, want %v", name, id, got, want)
			}
		}
	}
}
