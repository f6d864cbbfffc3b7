package labtest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/relight-aws/relight/internal/lab"
	"github.com/relight-aws/relight/internal/lab/tap"
)

// cloud is shared by all tests; each test uses its own names.
var cloud *lab.Cloud

func venv() string { return cmp.Or(os.Getenv("LAB_VENV"), "../../../.venv") }

func TestMain(m *testing.M) {
	if os.Getenv(orphan) != "" {
		os.Exit(m.Run())
	}
	var err error
	if cloud, err = lab.Start(context.Background(), lab.Options{Venv: venv()}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	if err := cloud.Close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// config returns the configuration of an SDK client for the root user, or for
// other credentials.
func config(region string, creds ...string) aws.Config {
	if len(creds) == 0 {
		creds = []string{lab.Account, lab.Secret, ""}
	}
	return aws.Config{
		Region:       region,
		BaseEndpoint: &cloud.Endpoint,
		Credentials:  credentials.NewStaticCredentialsProvider(creds[0], creds[1], creds[2]),
	}
}

// cli runs the AWS CLI of the virtual environment and returns its output.
func cli(t *testing.T, region string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(venv(), "bin", "aws"), args...)
	cmd.Env = cloud.Root().Environ(region)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("aws %q: %v: %s", args, err, out)
	}
	return string(bytes.TrimSpace(out))
}

// A subscriber is a queue that receives the events of a rule.
type subscriber struct {
	t     *testing.T
	sqs   *sqs.Client
	queue *string
	arn   string
}

// subscribe puts a rule on a bus with a queue as its target.
func subscribe(t *testing.T, region, bus, pattern string) *subscriber {
	t.Helper()
	s := &subscriber{t: t, sqs: sqs.NewFromConfig(config(region))}
	name := aws.String(fmt.Sprintf("q-%d", time.Now().UnixNano()))
	q, err := s.sqs.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: name})
	must(t, err)
	s.queue = q.QueueUrl
	s.arn = "arn:aws:sqs:" + region + ":" + lab.Account + ":" + *name
	rule(t, region, bus, *name, pattern, ebtypes.Target{Id: aws.String("q"), Arn: &s.arn})
	return s
}

// rule makes a rule with one target.
func rule(t *testing.T, region, bus, name, pattern string, target ebtypes.Target) {
	t.Helper()
	eb := eventbridge.NewFromConfig(config(region))
	_, err := eb.PutRule(t.Context(), &eventbridge.PutRuleInput{Name: &name, EventBusName: &bus, EventPattern: &pattern})
	must(t, err)
	_, err = eb.PutTargets(t.Context(), &eventbridge.PutTargetsInput{Rule: &name, EventBusName: &bus, Targets: []ebtypes.Target{target}})
	must(t, err)
}

// An envelope is an event with the record inside.
type envelope struct {
	tap.Event
	Record struct {
		EventName          string
		ErrorCode          string
		AWSRegion          string
		RecipientAccountID string
		RequestParameters  map[string]any
		ResponseElements   map[string]any
		UserIdentity       struct {
			Type           string
			AccountID      string
			ARN            string
			UserName       string
			SessionContext struct {
				SessionIssuer tap.Issuer
				Attributes    struct{ CreationDate string }
			}
		}
		AlarmName string // of an alarm's own event
		Operation string
	}
}

// next returns the events that arrived since the last call. It waits until all
// events are on their bus, and the emulator delivers at once.
func (s *subscriber) next() []envelope {
	s.t.Helper()
	must(s.t, cloud.Tap.Flush(s.t.Context()))
	var out []envelope
	for {
		got, err := s.sqs.ReceiveMessage(s.t.Context(), &sqs.ReceiveMessageInput{QueueUrl: s.queue, MaxNumberOfMessages: 10})
		must(s.t, err)
		if len(got.Messages) == 0 {
			return out
		}
		for _, m := range got.Messages {
			var e envelope
			must(s.t, json.Unmarshal([]byte(*m.Body), &e.Event))
			must(s.t, json.Unmarshal(e.Detail, &e.Record))
			out = append(out, e)
			_, err := s.sqs.DeleteMessage(s.t.Context(), &sqs.DeleteMessageInput{QueueUrl: s.queue, ReceiptHandle: m.ReceiptHandle})
			must(s.t, err)
		}
	}
}

// role makes a role that a service may assume, with one inline policy.
func role(t *testing.T, name, service, policy string) (arn string) {
	t.Helper()
	c := iam.NewFromConfig(config(lab.Region))
	trust := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":%q},"Action":"sts:AssumeRole"}]}`, service)
	made, err := c.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: &trust})
	must(t, err)
	allow(t, name, policy)
	return *made.Role.Arn
}

// allow replaces a role's inline policy; "" removes it.
func allow(t *testing.T, role, actions string) {
	t.Helper()
	c := iam.NewFromConfig(config(lab.Region))
	if actions == "" {
		_, err := c.DeleteRolePolicy(t.Context(), &iam.DeleteRolePolicyInput{RoleName: &role, PolicyName: aws.String("p")})
		must(t, err)
		return
	}
	doc := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":%q,"Resource":"*"}]}`, actions)
	_, err := c.PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: &role, PolicyName: aws.String("p"), PolicyDocument: &doc})
	must(t, err)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
