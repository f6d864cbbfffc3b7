package awsio

import (
	"cmp"
	"context"
	"iter"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/remedy"
)

func (r *region) sqs() *sqs.Client { return client(r, sqs.NewFromConfig) }

// othersRead is the number of a topic's subscriptions that relight reads to find
// one that receives every message, beside those of configured subscribers. Anybody
// who may subscribe can make thousands. One that is not read does not count.
const othersRead = 20

// receivers reads the queues and functions behind subscriptions. One observation
// uses one, which reads each of them once.
type receivers struct {
	*region
	read   map[string]received // by ARN
	denied *error              // the last error that became a finding
}

type received struct {
	plan.Receiver
	err error
}

func (r *region) receivers() receivers { return receivers{r, map[string]received{}, new(error)} }

// subscription reads the filter policy of a subscription that is confirmed and that
// the account owns, and the receiver of one whose filter policy is as wanted if that is
// asked for. Other subscriptions stay as they are. What relight may not read becomes a
// finding about the subscriber. It reports whether the subscription has been deleted
// since it was listed.
func (rs receivers) subscription(ctx context.Context, s *plan.Subscription, receiver bool, want catalog.Subscriber) (gone bool, err error) {
	if s.Pending || s.Deleted || s.Owner != "" {
		return false, nil
	}
	note := func(err error) error {
		*rs.denied = err
		who := catalog.Subscriber{Protocol: s.Protocol, Endpoint: s.Endpoint}
		s.Unread, err = unread(plan.SubscriberUnread, plan.Args{"subscriber": who.String()}, err)
		return err
	}
	if gone, err = rs.filterPolicy(ctx, s); err != nil {
		return false, note(err)
	}
	if gone || !receiver || s.Differs(want) || s.Protocol != "sqs" && s.Protocol != "lambda" {
		return gone, nil
	}
	got, err := rs.receiver(ctx, s.Endpoint)
	if err != nil {
		return false, note(err)
	}
	s.Receiver = &got
	return false, nil
}

// firstHearing returns the index of the first of some subscriptions to a topic that
// has been shown to receive every message, or -1. It reads at most othersRead.
func (rs receivers) firstHearing(ctx context.Context, topic string, some iter.Seq2[int, *plan.Subscription]) (int, error) {
	left := othersRead
	for i, s := range some {
		if s.Pending || s.Deleted || s.Owner != "" {
			continue
		}
		gone, err := rs.subscription(ctx, s, true, catalog.Subscriber{})
		if err != nil || !gone && s.Hears(topic) {
			return i, err
		}
		if left--; left == 0 {
			break
		}
	}
	return -1, nil
}

// receiver reads a queue or function as far as it takes to judge whether it lets a
// topic in. It makes no call about one of another account.
func (rs receivers) receiver(ctx context.Context, name string) (plan.Receiver, error) {
	if got, known := rs.read[name]; known {
		return got.Receiver, got.err
	}
	at, err := arn.Parse(name)
	if err != nil {
		return plan.Receiver{}, err
	}
	got := received{Receiver: plan.Receiver{ARN: name}}
	switch near := rs.in(rs.account, at.Region); {
	case at.AccountID != rs.account:
	case at.Service == "sqs":
		got.err = near.describeQueue(about(ctx, name), at.Resource, &got.Receiver)
	default:
		got.err = near.describeFunction(ctx, name, &got.Receiver)
	}
	rs.read[name] = got
	return got.Receiver, got.err
}

// describeQueue reads a queue's policy and key. SQS asks not to construct URLs of
// queues. Source: Amazon SQS Developer Guide, "Queue and message identifiers".
func (r *region) describeQueue(ctx context.Context, name string, queue *plan.Receiver) error {
	url, err := r.sqs().GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String(name)})
	if err != nil {
		queue.Missing = remedy.ClassOf(err) == remedy.Missing
		return gone(err)
	}
	out, err := r.sqs().GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: url.QueueUrl, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNamePolicy, types.QueueAttributeNameKmsMasterKeyId},
	})
	if err != nil {
		queue.Missing = remedy.ClassOf(err) == remedy.Missing
		return gone(err)
	}
	queue.Policy, queue.Key = out.Attributes["Policy"], out.Attributes["KmsMasterKeyId"]
	if owner := ownerOf(queue.Key); queue.Key == "" || plan.IsAWSQueueKey(queue.Key) || owner != "" && owner != r.account {
		return nil
	}
	ctx = context.WithValue(ctx, targetKey{}, nil) // the calls about the key are not about the queue
	key, state, err := r.describeKey(ctx, queue.Key)
	queue.Key, queue.KeyState = cmp.Or(key, queue.Key), state
	if err == nil && state == plan.KeyEnabled {
		queue.KeyPolicy, err = r.keyPolicy(ctx, key)
	}
	return err
}

// describeFunction reads the policy of a function, version or alias, and for the
// last two also that of the whole function. GetPolicy also shows what
// PutResourcePolicy wrote. Source: AWS Lambda Developer Guide, "Working with
// resource-based policies in Lambda".
func (r *region) describeFunction(ctx context.Context, name string, function *plan.Receiver) (err error) {
	if function.Policy, err = r.functionPolicy(ctx, name); err != nil || function.Policy == "" {
		return err
	}
	if whole := strings.SplitN(name, ":", 8); len(whole) == 8 {
		function.Whole, err = r.functionPolicy(ctx, strings.Join(whole[:7], ":"))
	}
	return err
}

// functionPolicy returns the policy of a function, version or alias, or "" if it
// has none or does not exist: Lambda gives the same answer for both. Source:
// recorded 2025-11-25 (localstack/localstack).
func (r *region) functionPolicy(ctx context.Context, name string) (string, error) {
	out, err := r.lambda().GetPolicy(ctx, &lambda.GetPolicyInput{FunctionName: aws.String(name)})
	if err != nil {
		return "", gone(err)
	}
	return aws.ToString(out.Policy), nil
}
