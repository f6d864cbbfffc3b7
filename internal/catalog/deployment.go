package catalog

// Names that the stack gives and others find it by. They are built from the
// prefix alone, so that no stack has to import from another.

// StackName returns the name of the home stack.
func (b Baseline) StackName() string { return b.Prefix }

// ForwarderName returns the name of the stack that forwards a region's events.
func (b Baseline) ForwarderName(region string) string { return b.Name(region) }

// BusName returns the name of the bus in the home region that takes the
// events forwarded from other regions.
func (b Baseline) BusName() string { return b.Prefix }

// FunctionLogGroup returns the log group of a function, by its deployed name.
func FunctionLogGroup(name string) string { return "/aws/lambda/" + name }

// Outputs of the home stack.
const (
	OutputTopic        = "TopicArn"
	OutputDeliveryRole = "DeliveryRoleArn"
)

// Placeholders of RuntimeGrants, beside those of Grants.
const (
	InLogGroup = "${log-group}" // ARN of the function's own log group
	InQueue    = "${queue}"     // ARN of the queue it is fed from; of Backfill, the queue its failures go to
)

// RuntimeGrants returns what Lambda does in a function's name: these are
// never calls of the function's own code. No logs:CreateLogGroup: the stack
// makes the group, with its retention.
func RuntimeGrants(f Function) []Grant {
	queue := Grant{
		Actions:   []string{"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"},
		Resources: []string{InQueue},
		Why:       "Lambda polls the queue. Source: AWS Lambda Developer Guide, Using Lambda with Amazon SQS",
	}
	if f == Backfill {
		queue = Grant{
			Actions:   []string{"sqs:SendMessage"},
			Resources: []string{InQueue},
			Why:       "Lambda keeps what failed for good. Source: AWS Lambda Developer Guide, asynchronous invocation",
		}
	}
	return []Grant{
		queue,
		{
			Actions:   []string{"logs:CreateLogStream", "logs:PutLogEvents"},
			Resources: []string{InLogGroup + ":*"},
			Why:       "Lambda writes the function's output",
		},
	}
}
