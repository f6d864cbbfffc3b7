package stack_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/relight-aws/relight/internal/catalog"
)

// seconds returns a number of the template.
func seconds(v any) float64 {
	n, _ := v.(float64)
	return n
}

func TestQueues(t *testing.T) {
	s := defaults()["relight"].template
	for _, k := range catalog.Kinds() {
		id, fn := s.function(t, "relight-"+string(k))
		q := s.Resources[s.queue(t, id)].Properties
		if got := seconds(at(q, "RedrivePolicy", "maxReceiveCount")); got != 5 {
			t.Errorf("%s: received %v times at most, want 5", k, got)
		}
		dead := strings.TrimSuffix(strings.TrimPrefix(text(at(q, "RedrivePolicy", "deadLetterTargetArn")), "${"), ".Arn}")
		if got := seconds(s.Resources[dead].Properties["MessageRetentionPeriod"]); got != 14*24*3600 {
			t.Errorf("%s: dead letters are kept %v s, want 14 days", k, got)
		}
		timeout, visible := seconds(fn.Properties["Timeout"]), seconds(q["VisibilityTimeout"])
		window := 0.0
		for _, m := range s.of("AWS::Lambda::EventSourceMapping") {
			if text(m.Properties["FunctionName"]) == ref(id) {
				window = seconds(m.Properties["MaximumBatchingWindowInSeconds"])
			}
		}
		if timeout == 0 || timeout > 60 || visible < 6*timeout+window {
			t.Errorf("%s: visibility timeout %v s with a function timeout of %v s and a window of %v s, want at least 6 times 60 s or less, and the window", k, visible, timeout, window)
		}
	}
	// relight restores the queues under the names that the catalog derives from the prefix.
	for prefix, a := range map[string]app{"relight-": defaults(), "acme-": custom()} {
		for name, s := range a {
			named := map[any]bool{}
			for id, q := range s.of("AWS::SQS::Queue") {
				got, _ := q.Properties["QueueName"].(string)
				if q.Properties["SqsManagedSseEnabled"] != true || !strings.HasPrefix(got, prefix) || named[got] {
					t.Errorf("%s: %s is %v, want encryption and a name of its own that begins with %s", name, id, q.Properties, prefix)
				}
				named[got] = true
			}
		}
	}
}

// Source: Amazon SQS Developer Guide, "Amazon SQS policy quotas". The emulator
// accepts larger policies.
const (
	policyStatements = 20
	policyConditions = 10
)

// A queue accepts messages only over TLS, and only from the account's own roles
// and from the rules whose target or dead-letter queue it is.
func TestQueuePolicies(t *testing.T) {
	for _, a := range []app{defaults(), custom(), graceful(), full[0].app(), full[1].app(), full[2].app()} {
		for name, s := range a {
			senders := map[string][]string{} // by queue
			for id, r := range s.of("AWS::Events::Rule") {
				// The policy admits rules by the beginning of their names.
				// CloudFormation would trim a name that it generates.
				prefix := strings.TrimSuffix(name, "-"+s.region)
				if rule := text(r.Properties["Name"]); !strings.HasPrefix(rule, prefix+"-") || len(rule) > 64 {
					t.Errorf("%s: %s is named %s, want up to 64 characters that begin with %s-", name, id, rule, prefix)
				}
				bus, named := "", at(r.Properties, "EventBusName") != nil
				if named {
					bus = prefix + "/"
				}
				byName := "arn:${AWS::Partition}:events:" + s.region + ":${AWS::AccountId}:rule/" + bus + prefix + "-*"
				for _, to := range []string{text(at(r.Properties, "Targets", 0, "Arn")), text(at(r.Properties, "Targets", 0, "DeadLetterConfig", "Arn"))} {
					if !slices.Contains(senders[to], byName) {
						senders[to] = append(senders[to], byName)
					}
				}
			}
			shut := map[string]bool{}
			for _, p := range s.of("AWS::SQS::QueuePolicy") {
				queue := strings.TrimSuffix(text(at(p.Properties, "Queues", 0)), "}") + ".Arn}"
				var admitted []string
				conditions := 0
				for _, st := range list(at(p.Properties, "PolicyDocument", "Statement")) {
					operators, _ := at(st, "Condition").(map[string]any)
					conditions += len(operators)
					if at(st, "Effect") == "Deny" {
						shut[queue] = at(st, "Condition", "Bool", "aws:SecureTransport") == "false" && at(st, "Action") == "sqs:*"
						continue
					}
					if at(st, "Principal", "Service") != "events.amazonaws.com" {
						t.Errorf("%s: %s admits %s", name, queue, text(at(st, "Principal")))
					}
					if one := at(st, "Condition", "ArnEquals", "aws:SourceArn"); one != nil {
						admitted = append(admitted, text(one))
					}
					if some := at(st, "Condition", "ArnLike", "aws:SourceArn"); some != nil {
						admitted = append(admitted, texts(some)...)
					}
				}
				if len(admitted) >= policyStatements || conditions > policyConditions {
					t.Errorf("%s: the policy of %s has %d statements and %d conditions, more than SQS accepts: name the rules in one statement", name, queue, len(admitted)+1, conditions)
				}
				slices.Sort(admitted)
				slices.Sort(senders[queue])
				if !slices.Equal(admitted, senders[queue]) {
					t.Errorf("%s: %s admits %v, want its rules %v", name, queue, admitted, senders[queue])
				}
			}
			for id := range s.of("AWS::SQS::Queue") {
				if !shut[arn(id)] {
					t.Errorf("%s: %s accepts messages without TLS", name, id)
				}
			}
		}
	}
}

func TestMappings(t *testing.T) {
	s := defaults()["relight"].template
	if n := len(s.of("AWS::Lambda::EventSourceMapping")); n != len(catalog.Kinds()) {
		t.Errorf("%d event source mappings, want one for each kind", n)
	}
	for id, m := range s.of("AWS::Lambda::EventSourceMapping") {
		for property, want := range map[string]string{
			"BatchSize":                      `10`,
			"MaximumBatchingWindowInSeconds": `0`,
			"ScalingConfig":                  `{"MaximumConcurrency":2}`,
			"FunctionResponseTypes":          `["ReportBatchItemFailures"]`,
		} {
			if got := text(m.Properties[property]); got != want {
				t.Errorf("%s: %s is %s, want %s", id, property, got, want)
			}
		}
	}
}
