package probe_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	trailtypes "github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	alarmtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	eventtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"

	"github.com/relight-aws/relight/internal/awstest"
	"github.com/relight-aws/relight/internal/probe"
)

const (
	account = "444455556666"
	region  = "us-east-1"
)

// An accountUnderProbe is an account in memory with the services that relight
// itself does not call.
type accountUnderProbe struct {
	*awstest.Account

	queues  map[string]map[string]string // tags by name
	mail    []string                     // messages of any queue
	rules   map[string]rule
	buckets map[string]*bucket
	keys    map[string]string       // tag by ARN
	subs    map[string]subscription // by ARN
	calls   int
	events  bool // calls raise events
	dead    bool // the process was killed: no call arrives any more

	// at is the number of the call at which something happens, the first being 1.
	at     int
	happen func(next func() error) error
}

type rule struct {
	tag    string
	target bool
}

// A subscription remains when its topic is deleted.
type subscription struct{ topic, endpoint string }

type bucket struct {
	tag     string
	objects map[string]bool
}

func newAccount() *accountUnderProbe {
	a := &accountUnderProbe{
		Account: awstest.New(account, region),
		queues:  map[string]map[string]string{}, rules: map[string]rule{}, buckets: map[string]*bucket{}, keys: map[string]string{},
		subs: map[string]subscription{},
	}
	a.AddRegion("af-south-1", "not-opted-in")
	a.answerSQS()
	a.answerEvents()
	a.answerS3()
	a.answerKMS()
	a.answerLists()
	return a
}

func refuse(code string) error {
	return &smithy.GenericAPIError{Code: code, Message: "no such resource"}
}

const queueURL = "https://sqs.us-east-1.amazonaws.com/" + account + "/"

func (a *accountUnderProbe) answerSQS() {
	awstest.Handle(a.Account, func(_ context.Context, in *sqs.CreateQueueInput) (*sqs.CreateQueueOutput, error) {
		a.queues[*in.QueueName] = in.Tags
		return &sqs.CreateQueueOutput{QueueUrl: aws.String(queueURL + *in.QueueName)}, nil
	})
	name := func(url *string) string { return strings.TrimPrefix(*url, queueURL) }
	awstest.Handle(a.Account, func(_ context.Context, in *sqs.GetQueueUrlInput) (*sqs.GetQueueUrlOutput, error) {
		if a.queues[*in.QueueName] == nil {
			return nil, refuse("AWS.SimpleQueueService.NonExistentQueue")
		}
		return &sqs.GetQueueUrlOutput{QueueUrl: aws.String(queueURL + *in.QueueName)}, nil
	})
	awstest.Handle(a.Account, func(_ context.Context, in *sqs.DeleteQueueInput) (*sqs.DeleteQueueOutput, error) {
		delete(a.queues, name(in.QueueUrl))
		return &sqs.DeleteQueueOutput{}, nil
	})
	awstest.Handle(a.Account, func(_ context.Context, in *sqs.ListQueuesInput) (*sqs.ListQueuesOutput, error) {
		out := &sqs.ListQueuesOutput{}
		for name := range a.queues {
			if strings.HasPrefix(name, *in.QueueNamePrefix) {
				out.QueueUrls = append(out.QueueUrls, queueURL+name)
			}
		}
		return out, nil
	})
	awstest.Handle(a.Account, func(_ context.Context, in *sqs.ListQueueTagsInput) (*sqs.ListQueueTagsOutput, error) {
		return &sqs.ListQueueTagsOutput{Tags: a.queues[name(in.QueueUrl)]}, nil
	})
	awstest.Handle(a.Account, func(_ context.Context, in *sqs.ReceiveMessageInput) (*sqs.ReceiveMessageOutput, error) {
		out := &sqs.ReceiveMessageOutput{}
		n := min(len(a.mail), int(in.MaxNumberOfMessages))
		for _, body := range a.mail[:n] {
			out.Messages = append(out.Messages, sqstypes.Message{
				Body: aws.String(body), ReceiptHandle: aws.String("r"),
				Attributes: map[string]string{"SentTimestamp": fmt.Sprint(time.Now().UnixMilli() + 2000)},
			})
		}
		a.mail = a.mail[n:]
		return out, nil
	})
	awstest.Handle(a.Account, func(context.Context, *sqs.DeleteMessageInput) (*sqs.DeleteMessageOutput, error) {
		return &sqs.DeleteMessageOutput{}, nil
	})
}

func (a *accountUnderProbe) answerEvents() {
	awstest.Handle(a.Account, func(_ context.Context, in *eventbridge.PutRuleInput) (*eventbridge.PutRuleOutput, error) {
		a.rules[*in.Name] = rule{tag: *in.Tags[0].Value}
		return &eventbridge.PutRuleOutput{}, nil
	})
	awstest.Handle(a.Account, func(_ context.Context, in *eventbridge.PutTargetsInput) (*eventbridge.PutTargetsOutput, error) {
		a.rules[*in.Rule] = rule{a.rules[*in.Rule].tag, true}
		return &eventbridge.PutTargetsOutput{}, nil
	})
	awstest.Handle(a.Account, func(_ context.Context, in *eventbridge.RemoveTargetsInput) (*eventbridge.RemoveTargetsOutput, error) {
		r, ok := a.rules[*in.Rule]
		if !ok {
			return nil, refuse("ResourceNotFoundException")
		}
		a.rules[*in.Rule] = rule{r.tag, false}
		return &eventbridge.RemoveTargetsOutput{}, nil
	})
	awstest.Handle(a.Account, func(_ context.Context, in *eventbridge.DeleteRuleInput) (*eventbridge.DeleteRuleOutput, error) {
		if a.rules[*in.Name].target {
			return nil, refuse("ValidationException") // "Rule can't be deleted since it has targets."
		}
		delete(a.rules, *in.Name)
		return &eventbridge.DeleteRuleOutput{}, nil
	})
	awstest.Handle(a.Account, func(_ context.Context, in *eventbridge.ListRulesInput) (*eventbridge.ListRulesOutput, error) {
		out := &eventbridge.ListRulesOutput{}
		for name := range a.rules {
			if strings.HasPrefix(name, *in.NamePrefix) {
				out.Rules = append(out.Rules, eventtypes.Rule{Name: aws.String(name), Arn: aws.String("arn:aws:events:" + region + ":" + account + ":rule/" + name)})
			}
		}
		return out, nil
	})
	awstest.Handle(a.Account, func(_ context.Context, in *eventbridge.ListTagsForResourceInput) (*eventbridge.ListTagsForResourceOutput, error) {
		tag := a.rules[(*in.ResourceARN)[strings.LastIndex(*in.ResourceARN, "/")+1:]].tag
		return &eventbridge.ListTagsForResourceOutput{Tags: []eventtypes.Tag{{Key: aws.String(probe.Tag), Value: &tag}}}, nil
	})
}

func (a *accountUnderProbe) answerS3() {
	awstest.Handle(a.Account, func(_ context.Context, in *s3.CreateBucketInput) (*s3.CreateBucketOutput, error) {
		a.buckets[*in.Bucket] = &bucket{tag: *in.CreateBucketConfiguration.Tags[0].Value, objects: map[string]bool{"AWSLogs/" + account + "/CloudTrail/": true}}
		return &s3.CreateBucketOutput{}, nil
	})
	find := func(name *string) (*bucket, error) {
		if b := a.buckets[*name]; b != nil {
			return b, nil
		}
		return nil, refuse("NoSuchBucket")
	}
	awstest.Handle(a.Account, func(_ context.Context, in *s3.GetBucketTaggingInput) (*s3.GetBucketTaggingOutput, error) {
		b, err := find(in.Bucket)
		if err != nil {
			return nil, err
		}
		return &s3.GetBucketTaggingOutput{TagSet: []s3types.Tag{{Key: aws.String(probe.Tag), Value: &b.tag}}}, nil
	})
	awstest.Handle(a.Account, func(_ context.Context, in *s3.PutBucketPolicyInput) (*s3.PutBucketPolicyOutput, error) {
		_, err := find(in.Bucket)
		a.AddBucket(*in.Bucket)
		return &s3.PutBucketPolicyOutput{}, err
	})
	awstest.Handle(a.Account, func(context.Context, *s3.ListBucketsInput) (*s3.ListBucketsOutput, error) {
		out := &s3.ListBucketsOutput{}
		for name := range a.buckets {
			out.Buckets = append(out.Buckets, s3types.Bucket{Name: aws.String(name)})
		}
		return out, nil
	})
	awstest.Handle(a.Account, func(_ context.Context, in *s3.ListObjectsV2Input) (*s3.ListObjectsV2Output, error) {
		b, err := find(in.Bucket)
		if err != nil {
			return nil, err
		}
		out := &s3.ListObjectsV2Output{IsTruncated: aws.Bool(false)}
		for key := range b.objects {
			out.Contents = append(out.Contents, s3types.Object{Key: aws.String(key)})
		}
		return out, nil
	})
	awstest.Handle(a.Account, func(_ context.Context, in *s3.DeleteObjectInput) (*s3.DeleteObjectOutput, error) {
		b, err := find(in.Bucket)
		if err == nil {
			delete(b.objects, *in.Key)
		}
		return &s3.DeleteObjectOutput{}, err
	})
	awstest.Handle(a.Account, func(_ context.Context, in *s3.DeleteBucketInput) (*s3.DeleteBucketOutput, error) {
		b, err := find(in.Bucket)
		switch {
		case err != nil:
			return nil, err
		case len(b.objects) > 0:
			return nil, refuse("BucketNotEmpty")
		}
		delete(a.buckets, *in.Bucket)
		a.RemoveBucket(*in.Bucket)
		return &s3.DeleteBucketOutput{}, nil
	})
}

func (a *accountUnderProbe) answerKMS() {
	awstest.Handle(a.Account, func(_ context.Context, in *kms.CreateKeyInput) (*kms.CreateKeyOutput, error) {
		id := fmt.Sprintf("00000000-0000-4000-8000-%012d", len(a.keys)+1)
		arn := "arn:aws:kms:" + region + ":" + account + ":key/" + id
		a.keys[arn] = *in.Tags[0].TagValue
		a.AddKey(arn)
		return &kms.CreateKeyOutput{KeyMetadata: &kmstypes.KeyMetadata{Arn: &arn, KeyId: &id}}, nil
	})
	awstest.Handle(a.Account, func(context.Context, *kms.ListKeysInput) (*kms.ListKeysOutput, error) {
		out := &kms.ListKeysOutput{}
		for arn := range a.keys {
			out.Keys = append(out.Keys, kmstypes.KeyListEntry{KeyArn: aws.String(arn), KeyId: aws.String(arn[strings.LastIndex(arn, "/")+1:])})
		}
		return out, nil
	})
	awstest.Handle(a.Account, func(_ context.Context, in *kms.ListResourceTagsInput) (*kms.ListResourceTagsOutput, error) {
		for arn, tag := range a.keys {
			if strings.HasSuffix(arn, *in.KeyId) {
				return &kms.ListResourceTagsOutput{Tags: []kmstypes.Tag{{TagKey: aws.String(probe.Tag), TagValue: &tag}}}, nil
			}
		}
		return nil, refuse("NotFoundException")
	})
}

// answerLists answers listings of the services that the account in memory has
// without them. The tag of what they list follows from its name.
func (a *accountUnderProbe) answerLists() {
	key := aws.String(probe.Tag)
	tag := func(text *string) *string {
		name := (*text)[strings.LastIndexAny(*text, ":/")+1:]
		if !strings.HasPrefix(name, probe.DefaultPrefix+"-") {
			return aws.String("")
		}
		return aws.String(name[:min(len(name), len(probe.DefaultPrefix)+9)])
	}
	names := func(kind string) (found []string) {
		for k := range a.State() {
			if name, ok := strings.CutPrefix(k, kind+" "); ok {
				found = append(found, name)
			}
		}
		return found
	}
	awstest.Handle(a.Account, func(context.Context, *sns.ListTopicsInput) (*sns.ListTopicsOutput, error) {
		out := &sns.ListTopicsOutput{}
		for _, arn := range names(region + " topic") {
			out.Topics = append(out.Topics, snstypes.Topic{TopicArn: &arn})
		}
		return out, nil
	})
	awstest.Handle(a.Account, func(context.Context, *sns.ListSubscriptionsInput) (*sns.ListSubscriptionsOutput, error) {
		out := &sns.ListSubscriptionsOutput{}
		for arn, s := range a.subs {
			out.Subscriptions = append(out.Subscriptions, snstypes.Subscription{SubscriptionArn: &arn, TopicArn: &s.topic, Endpoint: &s.endpoint})
		}
		return out, nil
	})
	awstest.Handle(a.Account, func(_ context.Context, in *sns.ListTagsForResourceInput) (*sns.ListTagsForResourceOutput, error) {
		return &sns.ListTagsForResourceOutput{Tags: []snstypes.Tag{{Key: key, Value: tag(in.ResourceArn)}}}, nil
	})
	awstest.Handle(a.Account, func(_ context.Context, in *cloudwatch.ListTagsForResourceInput) (*cloudwatch.ListTagsForResourceOutput, error) {
		return &cloudwatch.ListTagsForResourceOutput{Tags: []alarmtypes.Tag{{Key: key, Value: tag(in.ResourceARN)}}}, nil
	})
	awstest.Handle(a.Account, func(_ context.Context, in *cloudtrail.ListTagsInput) (*cloudtrail.ListTagsOutput, error) {
		return &cloudtrail.ListTagsOutput{ResourceTagList: []trailtypes.ResourceTag{{
			TagsList: []trailtypes.Tag{{Key: key, Value: tag(&in.ResourceIdList[0])}},
		}}}, nil
	})
	awstest.Handle(a.Account, func(context.Context, *iam.ListRolesInput) (*iam.ListRolesOutput, error) {
		out := &iam.ListRolesOutput{}
		for _, name := range names("role") {
			out.Roles = append(out.Roles, iamtypes.Role{RoleName: &name})
		}
		return out, nil
	})
	awstest.Handle(a.Account, func(context.Context, *iam.ListPoliciesInput) (*iam.ListPoliciesOutput, error) {
		out := &iam.ListPoliciesOutput{}
		for _, arn := range names("policy") {
			out.Policies = append(out.Policies, iamtypes.Policy{Arn: &arn, PolicyName: aws.String(arn[strings.LastIndex(arn, "/")+1:])})
		}
		return out, nil
	})
}

// config returns a configuration whose calls are counted, may be disturbed, and
// raise events.
func (a *accountUnderProbe) config() aws.Config {
	cfg := a.Config()
	cfg.APIOptions = append([]func(*middleware.Stack) error{func(stack *middleware.Stack) error {
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("test.Disturb", func(
			ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
		) (out middleware.InitializeOutput, meta middleware.Metadata, err error) {
			if err := ctx.Err(); err != nil {
				return out, meta, &smithy.CanceledError{Err: err}
			}
			if a.dead {
				return out, meta, errLost
			}
			answer := func() error {
				out, meta, err = next.HandleInitialize(ctx, in)
				a.subscribed(in.Parameters, out.Result)
				return err
			}
			if a.calls++; a.calls == a.at {
				err = a.happen(answer)
				return out, meta, err
			}
			err = answer()
			if err == nil && a.events && awsmiddleware.GetServiceID(ctx) != sqs.ServiceID {
				id := fmt.Sprint(a.calls)
				awsmiddleware.SetRequestIDMetadata(&meta, id)
				a.raise(awsmiddleware.GetOperationName(ctx), id, in.Parameters)
			}
			return out, meta, err
		}), middleware.After) // the account's own step comes behind it
	}}, cfg.APIOptions...)
	return cfg
}

// subscribed notes the subscriptions that calls make and end.
func (a *accountUnderProbe) subscribed(in, out any) {
	switch in := in.(type) {
	case *sns.SubscribeInput:
		if out, ok := out.(*sns.SubscribeOutput); ok && *in.Protocol == "sqs" { // others stay pending
			a.subs[*out.SubscriptionArn] = subscription{*in.TopicArn, *in.Endpoint}
		}
	case *sns.UnsubscribeInput:
		delete(a.subs, *in.SubscriptionArn)
	}
}

// raise puts the event of a call into the queue.
func (a *accountUnderProbe) raise(op, id string, params any) {
	put := func(event map[string]any) {
		raw, _ := json.Marshal(event) // maps always marshal
		a.mail = append(a.mail, string(raw))
	}
	if in, ok := params.(*sns.PublishInput); ok {
		put(map[string]any{"Type": "Notification", "Message": in.Message})
	}
	if in, ok := params.(*cloudwatch.PutMetricAlarmInput); ok {
		put(map[string]any{
			"detail-type": "CloudWatch Alarm Configuration Change", "source": "aws.cloudwatch",
			"detail": map[string]any{"alarmName": in.AlarmName, "operation": "create"},
		})
	}
	put(map[string]any{
		"detail-type": "AWS API Call via CloudTrail",
		"detail":      map[string]any{"eventName": op, "requestID": id, "requestParameters": lower(reflect.ValueOf(params))},
	})
}

// lower returns a value as maps and lists, as most services' records have it.
func lower(v reflect.Value) any {
	switch {
	case v.Kind() == reflect.Pointer && v.IsNil():
		return nil
	case v.Kind() == reflect.Pointer:
		return lower(v.Elem())
	case v.Kind() == reflect.Slice:
		var list []any
		for i := range v.Len() {
			list = append(list, lower(v.Index(i)))
		}
		return list
	case v.Kind() == reflect.Struct:
		object := map[string]any{}
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				name := []rune(f.Name)
				name[0] = unicode.ToLower(name[0])
				object[string(name)] = lower(v.Field(i))
			}
		}
		return object
	}
	return v.Interface()
}

// left returns what a run has left in the account that was empty before.
func (a *accountUnderProbe) left(before map[string]string) []string {
	var left []string
	for name, state := range a.State() {
		if before[name] == "" && !strings.HasPrefix(state, string(kmstypes.KeyStatePendingDeletion)) {
			left = append(left, name)
		}
	}
	left = slices.AppendSeq(left, maps.Keys(a.queues))
	left = slices.AppendSeq(left, maps.Keys(a.rules))
	left = slices.AppendSeq(left, maps.Keys(a.buckets))
	left = slices.AppendSeq(left, maps.Keys(a.subs))
	slices.Sort(left)
	return left
}

func (a *accountUnderProbe) options() probe.Options {
	return probe.Options{AWS: a.config(), Account: account, Poll: time.Microsecond}
}

var errLost = errors.New("the connection broke")
