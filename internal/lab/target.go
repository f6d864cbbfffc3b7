package lab

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"

	"github.com/relight-aws/relight/internal/catalog"
)

// A Target is what an attack can aim at.
type Target struct {
	Account         string
	TrailLogGroup   string
	FlowLogLogGroup string
	VPCs            []string // of the attack's region
	Subnets         []string // of the attack's region; each needs a flow log of its own
	Interfaces      []string // likewise
	Prefix          string   // prefix of the names of filters and alarms

	before map[string]any // what placeholders stood for before the attack
}

// before ends the name of a placeholder that stands for what the rest of its name stood for
// before the attack.
const before = "-before"

// remember reads what calls that undo an attack put back.
func (t *Target) remember(ctx context.Context, s *Session, undo []Call) error {
	t.before = map[string]any{}
	for _, c := range undo {
		_, err := c.fill(func(name string) (any, error) {
			was, then := strings.CutSuffix(name, before)
			if !then {
				return "", nil // it is read when the call is made
			}
			value, err := s.read(ctx, *t, was)
			t.before[name] = value
			return value, err
		})
		if err != nil {
			return fmt.Errorf("%s: %w", c, err)
		}
	}
	return nil
}

// read returns what a placeholder stands for: a string, or a list of strings.
func (s *Session) read(ctx context.Context, t Target, name string) (any, error) {
	if value, known := t.before[name]; known {
		return value, nil
	}
	switch name {
	case "prefix":
		return t.Prefix, nil
	case "account":
		return t.Account, nil
	case "trail-log-group":
		return t.TrailLogGroup, nil
	case "flow-log-group":
		return t.FlowLogLogGroup, nil
	case "vpc":
		return t.VPCs[0], nil
	case "second-vpc":
		return t.VPCs[1], nil
	case "flow-logs": // of all VPCs of the region
		return s.flowLogs(ctx, "", t.VPCs...)
	case "flow-logs-of-vpc":
		return s.flowLogs(ctx, "", t.VPCs[0])
	case "subnet":
		return first(t.Subnets)
	case "interface":
		return first(t.Interfaces)
	case "flow-logs-of-subnet":
		return s.flowLogs(ctx, "", t.Subnets...)
	case "flow-logs-of-interface":
		return s.flowLogs(ctx, "", t.Interfaces...)
	case "every-flow-log": // of all VPCs, subnets and network interfaces of the customer's in the region
		return s.flowLogs(ctx, "", slices.Concat(t.VPCs, t.Subnets, t.Interfaces)...)
	case "stream-version":
		return s.AWS(ctx, "firehose", "describe-delivery-stream", "--delivery-stream-name", FlowLogStream, "--query", "DeliveryStreamDescription.VersionId", "--output", "text")
	case "stream-destination":
		return s.AWS(ctx, "firehose", "describe-delivery-stream", "--delivery-stream-name", FlowLogStream, "--query", "DeliveryStreamDescription.Destinations[0].DestinationId", "--output", "text")
	case "flow-logs-to-lost-bucket":
		return s.flowLogs(ctx, "arn:aws:s3:::"+lostBucket, t.VPCs[1])
	case "delivery-role":
		return s.deliveryRole(ctx, t)
	case "alarms": // of all controls
		return s.alarms(ctx, t)
	case "schedule":
		return s.schedule(ctx, t)
	case "alarms-logs": // the log group of the function for alarms
		out, err := s.Lambda.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: aws.String(t.Prefix + "-alarms")})
		if err != nil {
			return nil, err
		}
		return aws.ToString(out.LoggingConfig.LogGroup), nil
	case "mapping": // of the alarms' queue
		return s.mapping(ctx, t.Prefix+"-alarms", t.Prefix+"-alarms")
	case "spare-mapping": // of the same queue and an intruder's function
		return s.mapping(ctx, t.Prefix+"-alarms", "spare")
	case "topic":
		return s.topic(ctx, t)
	case "topic-key":
		attributes, err := s.topicAttributes(ctx, t)
		return attributes["KmsMasterKeyId"], err
	case "alarms-statement": // the statement of the topic's policy that admits CloudWatch
		_, sid, err := s.topicPolicy(ctx, t)
		return sid, err
	case "queue-subscription":
		return s.subscription(ctx, t, "sqs")
	case "mail-subscription":
		return s.subscription(ctx, t, "email")
	case "trail-key": // the key's ID: the calls that harm a key accept no alias
		out, err := s.KMS.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: aws.String(logKey)})
		if err != nil {
			return nil, err
		}
		return aws.ToString(out.KeyMetadata.KeyId), nil
	case "spoke-trust", "spoke-description", "spoke-tags": // of the role that the functions of the hub assume
		out, err := s.IAM.GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String(t.spokeRole())})
		switch {
		case err != nil:
			return nil, err
		case name == "spoke-description":
			return aws.ToString(out.Role.Description), nil
		case name == "spoke-tags":
			return out.Role.Tags, nil
		}
		return url.QueryUnescape(aws.ToString(out.Role.AssumeRolePolicyDocument))
	case "spoke-grants": // what that role may do in every account
		return s.rolePolicy(ctx, t.spokeRole(), catalog.SpokePolicy)
	case "spoke-grants-without-rules":
		policy, err := s.rolePolicy(ctx, t.spokeRole(), catalog.SpokePolicy)
		if less := strings.ReplaceAll(policy, `"events:PutRule",`, ""); less != policy || err != nil {
			return less, err
		}
		return nil, errors.New("the role may not put rules")
	case "forward-grants": // what the rules of the second region send with
		return s.rolePolicy(ctx, t.Prefix+"-forward-"+SecondRegion, catalog.ForwardPolicy)
	case "now":
		return time.Now().UTC().Format("2006-01-02T15:04"), nil
	case "unique": // the same in all calls of one attack
		return rand.Text()[:8], nil
	}
	return nil, fmt.Errorf("there is no placeholder ${%s}", name)
}

func (t Target) spokeRole() string { return t.Prefix + "-" + catalog.SpokeRole }

// rolePolicy returns an inline policy of a role.
func (s *Session) rolePolicy(ctx context.Context, role, policy string) (string, error) {
	out, err := s.IAM.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: &role, PolicyName: &policy})
	if err != nil {
		return "", err
	}
	return url.QueryUnescape(aws.ToString(out.PolicyDocument))
}

// first returns the first of an attack's targets.
func first(ids []string) (string, error) {
	if len(ids) == 0 {
		return "", errors.New("the attack's region has no such target")
	}
	return ids[0], nil
}

func (s *Session) describeFlowLogs(ctx context.Context, vpcs ...string) ([]ec2types.FlowLog, error) {
	out, err := s.EC2.DescribeFlowLogs(ctx, &ec2.DescribeFlowLogsInput{
		Filter: []ec2types.Filter{{Name: aws.String("resource-id"), Values: vpcs}},
	})
	if err != nil {
		return nil, err
	}
	return out.FlowLogs, nil
}

// flowLogs returns the IDs of the VPCs' flow logs that deliver to a bucket, or
// to any destination for "". It is an error if there are none.
func (s *Session) flowLogs(ctx context.Context, bucket string, vpcs ...string) ([]string, error) {
	logs, err := s.describeFlowLogs(ctx, vpcs...)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, fl := range logs {
		if bucket == "" || aws.ToString(fl.LogDestination) == bucket {
			ids = append(ids, aws.ToString(fl.FlowLogId))
		}
	}
	if len(ids) == 0 {
		return nil, errors.New("there are no flow logs")
	}
	return ids, nil
}

// deliveryRole returns the name of the role that a flow log delivers with.
func (s *Session) deliveryRole(ctx context.Context, t Target) (string, error) {
	logs, err := s.describeFlowLogs(ctx, t.VPCs...)
	if err != nil {
		return "", err
	}
	for _, fl := range logs {
		if arn := aws.ToString(fl.DeliverLogsPermissionArn); arn != "" {
			return arn[strings.LastIndex(arn, "/")+1:], nil
		}
	}
	return "", errors.New("no flow log delivers with a role")
}

// alarms returns the names of the controls' alarms. The stack's own alarms
// measure other metrics.
func (s *Session) alarms(ctx context.Context, t Target) ([]string, error) {
	out, err := s.CloudWatch.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{
		AlarmNamePrefix: aws.String(t.Prefix + "-"), MaxRecords: aws.Int32(100),
	})
	if err != nil {
		return nil, err
	}
	var names []string
	for _, a := range out.MetricAlarms {
		if aws.ToString(a.Namespace) == t.Prefix && aws.ToString(a.MetricName) == aws.ToString(a.AlarmName) {
			names = append(names, aws.ToString(a.AlarmName))
		}
	}
	return names, nil
}

// topic returns the topic that a control's alarm notifies.
func (s *Session) topic(ctx context.Context, t Target) (string, error) {
	out, err := s.CloudWatch.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{AlarmNames: []string{t.Prefix + "-root-usage"}})
	if err != nil {
		return "", err
	}
	if len(out.MetricAlarms) == 0 || len(out.MetricAlarms[0].AlarmActions) == 0 {
		return "", errors.New("no alarm names a topic")
	}
	return out.MetricAlarms[0].AlarmActions[0], nil
}

func (s *Session) topicAttributes(ctx context.Context, t Target) (map[string]string, error) {
	topic, err := s.topic(ctx, t)
	if err != nil {
		return nil, err
	}
	out, err := s.SNS.GetTopicAttributes(ctx, &sns.GetTopicAttributesInput{TopicArn: aws.String(topic)})
	if err != nil {
		return nil, err
	}
	return out.Attributes, nil
}

// topicPolicy returns the topic's policy, and the Sid of its statement that
// admits CloudWatch.
func (s *Session) topicPolicy(ctx context.Context, t Target) (policy map[string]any, sid string, err error) {
	attributes, err := s.topicAttributes(ctx, t)
	if err != nil {
		return nil, "", err
	}
	if err := json.Unmarshal([]byte(attributes["Policy"]), &policy); err != nil {
		return nil, "", fmt.Errorf("read the topic's policy: %w", err)
	}
	statements, _ := policy["Statement"].([]any)
	for _, st := range statements {
		if st, _ := st.(map[string]any); strings.Contains(fmt.Sprint(st["Principal"]), "cloudwatch.amazonaws.com") {
			return policy, fmt.Sprint(st["Sid"]), nil
		}
	}
	return nil, "", errors.New("the topic's policy does not admit CloudWatch")
}

// subscription returns a confirmed subscription of the topic, by protocol.
func (s *Session) subscription(ctx context.Context, t Target, protocol string) (string, error) {
	topic, err := s.topic(ctx, t)
	if err != nil {
		return "", err
	}
	out, err := s.SNS.ListSubscriptionsByTopic(ctx, &sns.ListSubscriptionsByTopicInput{TopicArn: aws.String(topic)})
	if err != nil {
		return "", err
	}
	i := slices.IndexFunc(out.Subscriptions, func(sub snstypes.Subscription) bool {
		return aws.ToString(sub.Protocol) == protocol && strings.HasPrefix(aws.ToString(sub.SubscriptionArn), "arn:")
	})
	if i < 0 {
		return "", fmt.Errorf("the topic has no confirmed %s subscription", protocol)
	}
	return aws.ToString(out.Subscriptions[i].SubscriptionArn), nil
}
