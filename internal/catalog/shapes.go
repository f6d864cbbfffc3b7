package catalog

import (
	"unicode/utf8"

	"github.com/relight-aws/relight/internal/lazy"
)

// A Shape describes the names of a resource type: a pattern whose first group is
// the name, and the least and the most characters of the name. The limits are
// not in the pattern, because a function needs milliseconds at each start to
// compile a pattern that counts to 512.
type Shape struct {
	pattern     lazy.Regexp
	least, most int
}

func shape(pattern string, least, most int) Shape {
	return Shape{lazy.Compile(pattern), least, most}
}

// MatchString reports whether a text is a name of this shape.
func (s Shape) MatchString(text string) bool {
	groups := s.pattern.FindStringSubmatch(text)
	if groups == nil {
		return false
	}
	n := utf8.RuneCountInString(groups[1])
	return s.least <= n && n <= s.most
}

// Each shape matches a complete name. AWS documents no limit for the names of
// regions and of EC2's resources; their limits here are far above what AWS uses. Sources: AWS General Reference, region names; EC2
// API Reference, resource IDs; CloudWatch Logs API Reference, CreateLogGroup and
// PutMetricFilter;
// Amazon S3 User Guide, bucket naming rules, including older buckets; KMS
// API Reference, key IDs; CloudTrail API Reference, CreateTrail, Name, and
// Trail, TrailARN; SNS API Reference, CreateTopic; IAM API Reference, CreateRole
// and GetPolicy; CloudWatch API Reference, PutMetricAlarm; AWS Systems Manager API
// Reference, PutParameter; EventBridge API Reference, PutRule, and EventBridge
// Scheduler API Reference, CreateSchedule; AWS Lambda API Reference, CreateFunction and
// CreateEventSourceMapping; AWS CloudFormation API Reference, ExecuteChangeSet; Amazon SQS
// API Reference, CreateQueue; Amazon Data Firehose API Reference, CreateDeliveryStream; AWS Step Functions API
// Reference, CreateStateMachine.
var (
	RegionShape   = shape(`^([a-z]{2,}(?:-[a-z]+)+-\d+)$`, 1, 255)
	VPCShape      = shape(`^(vpc-[0-9a-f]+)$`, 1, 255)
	SubnetShape   = shape(`^(subnet-[0-9a-f]+)$`, 1, 255)
	IfaceShape    = shape(`^(eni-[0-9a-f]+)$`, 1, 255)
	StreamShape   = shape(`^(?:arn:[a-z-]+:firehose:[a-z0-9-]+:\d{12}:deliverystream/)?([A-Za-z0-9_.-]+)$`, 1, 64)
	TopicShape    = shape(`^arn:[a-z-]+:sns:[a-z0-9-]+:\d{12}:([A-Za-z0-9_.-]+)(?::[A-Za-z0-9-]+)?$`, 1, 256) // or the ARN of a subscription
	LogGroupShape = shape(`^([.\-_/#A-Za-z0-9]+)$`, 1, 512)
	FilterShape   = shape(`^([^:*\x00-\x1f\x7f]+)$`, 1, 512)
	BucketShape   = shape(`^([A-Za-z0-9._-]+)$`, 3, 255)
	KeyShape      = shape(`^([A-Za-z0-9:/_-]+)$`, 1, 512)
	TrailShape    = shape(`^(?:arn:[a-z-]+:cloudtrail:[a-z0-9-]+:\d{12}:trail/)?([A-Za-z0-9][A-Za-z0-9._-]+[A-Za-z0-9])$`, 3, 128)
	RoleShape     = shape(`^([\w+=,.@-]+)$`, 1, 64)
	ParamShape    = shape(`^(/?[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)*)$`, 1, 1011) // not ARNs, which the watched calls do not accept
	PolicyShape   = shape(`^arn:[a-z-]+:iam::(?:aws|\d{12}):policy/([\x21-\x7e]+)$`, 1, 512)
	LambdaShape   = shape(`^([a-zA-Z0-9_-]+)$`, 1, 64)
	QueueShape    = shape(`^([a-zA-Z0-9_-]+(?:\.fifo)?)$`, 1, 80)
	MachineShape  = shape(`^([^\s<>{}\[\]?*"#%\\^|~\x60$&,;:/\x00-\x1f\x7f-\x9f]+)$`, 1, 80)                                                    // of a state machine
	StackShape    = shape(`^(?:arn:[a-z-]+:cloudformation:[a-z0-9-]+:\d{12}:(?:stack|changeSet)/)?([A-Za-z0-9-]+(?:/[A-Za-z0-9-]+)?)$`, 1, 255) // or the ARN of a change set
	SourceShape   = shape(`^arn:[a-z-]+:[a-z0-9-]+:[a-z0-9-]*:\d*:([\x21-\x7e]+)$`, 1, 1024)                                                    // of an event source
	RuleShape     = shape(`^([.\-_A-Za-z0-9]+)$`, 1, 64)                                                                                        // of EventBridge rules and of schedules
	AlarmShape    = shape(`^([^\x00-\x1f\x7f]+)$`, 1, 255)
)
