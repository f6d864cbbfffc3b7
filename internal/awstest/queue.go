package awstest

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsarn "github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// queueAttributes are the attributes that a queue has here, with their defaults. SQS
// knows more, which keep nobody from sending to the queue or reading it. Source:
// Amazon SQS API Reference, CreateQueue.
var queueAttributes = map[string]string{
	"DelaySeconds": "0", "KmsMasterKeyId": "", "MaximumMessageSize": "1048576", "MessageRetentionPeriod": "345600", "Policy": "",
	"ReceiveMessageWaitTimeSeconds": "0", "RedriveAllowPolicy": "", "RedrivePolicy": "", "SqsManagedSseEnabled": "", "VisibilityTimeout": "30",
}

// AddQueue makes a queue that topics may send to, and returns its ARN. Source of
// the policy: Amazon SNS Developer Guide, "Subscribing an Amazon SQS queue to an
// Amazon SNS topic".
func (a *Account) AddQueue(regionName, name string, topics ...string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.addQueue(regionName, name, topics...)
}

func (a *Account) addQueue(regionName, name string, topics ...string) string {
	arn := a.arn("sqs", regionName, name)
	attributes := map[string]string{"SqsManagedSseEnabled": "true"}
	if len(topics) > 0 {
		attributes["Policy"] = admitting("sqs:SendMessage", arn, topics...)
	}
	a.regions[regionName].queues[name] = attributes
	return arn
}

// admitting returns a policy of a queue or function that lets topics deliver.
func admitting(action, resource string, topics ...string) string {
	return text(map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{
		"Sid": "topics", "Effect": "Allow", "Principal": map[string]any{"Service": "sns.amazonaws.com"}, "Action": action, "Resource": resource,
		"Condition": map[string]any{"ArnLike": map[string]any{"aws:SourceArn": topics}},
	}}})
}

var (
	errNoQueue = refuse("AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist.")
	queueName  = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}(\.fifo)?$`)
)

// urlOf returns the URL of a queue. Source: Amazon SQS Developer Guide, "Queue
// and message identifiers".
func (c *request) urlOf(name string) *string {
	return aws.String("https://sqs." + c.name + ".amazonaws.com/" + c.ID + "/" + name)
}

// queue returns the attributes of the queue with a URL.
func (c *request) queue(url *string) (name string, attributes map[string]string, err error) {
	name = (*url)[strings.LastIndex(*url, "/")+1:]
	if attributes = c.queues[name]; attributes == nil || *url != *c.urlOf(name) {
		return "", nil, errNoQueue
	}
	return name, attributes, nil
}

// createQueue creates a queue, or returns the existing one of that name if no
// attribute differs. Sources: Amazon SQS API Reference, CreateQueue; the code,
// recorded 2024-04-30 (localstack/localstack).
func createQueue(c *request, in *sqs.CreateQueueInput) (*sqs.CreateQueueOutput, error) {
	name := *in.QueueName
	if !queueName.MatchString(name) {
		return nil, refuse("InvalidParameterValue", "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length")
	}
	if existing := c.queues[name]; existing != nil {
		for k, v := range in.Attributes {
			if existing[k] != v {
				return nil, refuse("QueueAlreadyExists", "A queue already exists with the same name and a different value for attribute %s", k)
			}
		}
		return &sqs.CreateQueueOutput{QueueUrl: c.urlOf(name)}, nil
	}
	attributes := map[string]string{"SqsManagedSseEnabled": "true"}
	if err := setQueue(attributes, in.Attributes); err != nil {
		return nil, err
	}
	c.queues[name] = attributes
	c.wrote(c.arn("sqs", c.name, name))
	return &sqs.CreateQueueOutput{QueueUrl: c.urlOf(name)}, nil
}

// setQueue sets attributes; an empty policy or key removes the old one. A key and
// SQS's own encryption exclude each other. Sources: Amazon SQS API Reference,
// SetQueueAttributes; Amazon SQS Developer Guide, "Troubleshoot Amazon SQS API
// errors"; recorded 2024-04-30 (localstack/localstack).
func setQueue(attributes, set map[string]string) error {
	if set["KmsMasterKeyId"] != "" && set["SqsManagedSseEnabled"] == "true" {
		return refuse("InvalidAttributeName", "You can use one type of server-side encryption (SSE) at one time. You can either enable KMS SSE or SQS SSE.")
	}
	for k, v := range set {
		switch {
		case !known(k):
			return refuse("InvalidAttributeName", "Unknown Attribute %s.", k)
		case k == "Policy" && v != "" && !json.Valid([]byte(v)):
			return refuse("InvalidAttributeValue", "Invalid value for the parameter Policy.")
		}
	}
	for k, v := range set {
		attributes[k] = v
		if v == queueAttributes[k] || k == "RedriveAllowPolicy" && strings.Contains(v, "allowAll") {
			delete(attributes, k)
		}
	}
	if attributes["KmsMasterKeyId"] != "" {
		attributes["SqsManagedSseEnabled"] = "false"
	}
	return nil
}

func known(attribute string) bool {
	_, is := queueAttributes[attribute]
	return is
}

func setQueueAttributes(c *request, in *sqs.SetQueueAttributesInput) error {
	name, attributes, err := c.queue(in.QueueUrl)
	if err == nil {
		err = setQueue(attributes, in.Attributes)
	}
	if err == nil {
		c.wrote(c.arn("sqs", c.name, name))
	}
	return err
}

// getQueueURL returns the URL of a queue of the account.
func getQueueURL(c *request, in *sqs.GetQueueUrlInput) (*sqs.GetQueueUrlOutput, error) {
	if owner := aws.ToString(in.QueueOwnerAWSAccountId); c.queues[*in.QueueName] == nil || owner != "" && owner != c.ID {
		return nil, errNoQueue
	}
	return &sqs.GetQueueUrlOutput{QueueUrl: c.urlOf(*in.QueueName)}, nil
}

// getQueueAttributes returns the attributes that the request names and the queue
// has.
func getQueueAttributes(c *request, in *sqs.GetQueueAttributesInput) (*sqs.GetQueueAttributesOutput, error) {
	name, attributes, err := c.queue(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	asked := func(k string) bool {
		return slices.Contains(in.AttributeNames, types.QueueAttributeNameAll) || slices.Contains(in.AttributeNames, types.QueueAttributeName(k))
	}
	for _, k := range in.AttributeNames {
		if !slices.Contains(k.Values(), k) {
			return nil, refuse("InvalidAttributeName", "Unknown Attribute %s.", k)
		}
	}
	all := maps.Clone(queueAttributes)
	maps.DeleteFunc(all, func(_, v string) bool { return v == "" })
	maps.Copy(all, attributes)
	all["QueueArn"] = c.arn("sqs", c.name, name)
	maps.DeleteFunc(all, func(k, _ string) bool { return !asked(k) })
	return &sqs.GetQueueAttributesOutput{Attributes: all}, nil
}

// listQueues lists the URLs of queues. It pages only if the request has MaxResults.
// Source: Amazon SQS API Reference, ListQueues.
func listQueues(c *request, in *sqs.ListQueuesInput) (*sqs.ListQueuesOutput, error) {
	found := map[string]string{}
	for name := range c.queues {
		if strings.HasPrefix(name, aws.ToString(in.QueueNamePrefix)) {
			found[name] = *c.urlOf(name)
		}
	}
	out := &sqs.ListQueuesOutput{}
	if in.MaxResults == nil {
		out.QueueUrls = slices.Sorted(maps.Values(found))
		return out, nil
	}
	var err error
	out.QueueUrls, out.NextToken, err = paged(c, page{token: in.NextToken, ask: in.MaxResults, least: 1, most: 1000, usual: 1000, limit: "InvalidParameterValue", bad: "InvalidParameterValue"}, found)
	return out, err
}

func deleteQueue(c *request, in *sqs.DeleteQueueInput) error {
	name, _, err := c.queue(in.QueueUrl)
	if err == nil {
		delete(c.queues, name)
		c.wrote(c.arn("sqs", c.name, name))
	}
	return err
}

// mostDelay is the longest delay of a message, in seconds, and mostMessage its largest
// size, in bytes. Source: Amazon SQS API Reference, SendMessage.
const (
	mostDelay   = 900
	mostMessage = 1048576
)

// sendMessage takes a message for a queue. The account does not keep it: Watch shows
// it to a test. Source: Amazon SQS API Reference, SendMessage.
func sendMessage(c *request, in *sqs.SendMessageInput) (*sqs.SendMessageOutput, error) {
	if _, _, err := c.queue(in.QueueUrl); err != nil {
		return nil, err
	}
	if why := badMessage(*in.MessageBody, in.DelaySeconds); why != "" {
		return nil, refuse("InvalidParameterValue", "%s", why)
	}
	return &sqs.SendMessageOutput{MessageId: aws.String(c.newID("message"))}, nil
}

// sendMessages does the same for up to ten messages. Source: Amazon SQS API Reference,
// SendMessageBatch.
func sendMessages(c *request, in *sqs.SendMessageBatchInput) (*sqs.SendMessageBatchOutput, error) {
	if _, _, err := c.queue(in.QueueUrl); err != nil {
		return nil, err
	}
	size := 0
	ids := map[string]bool{}
	out := &sqs.SendMessageBatchOutput{}
	for _, e := range in.Entries {
		if size += len(*e.MessageBody); ids[*e.Id] {
			return nil, refuse("AWS.SimpleQueueService.BatchEntryIdsNotDistinct", "Id %s repeated.", *e.Id)
		}
		ids[*e.Id] = true
		if why := badMessage(*e.MessageBody, e.DelaySeconds); why != "" {
			out.Failed = append(out.Failed, types.BatchResultErrorEntry{Id: e.Id, Code: aws.String("InvalidParameterValue"), Message: aws.String(why), SenderFault: true})
			continue
		}
		out.Successful = append(out.Successful, types.SendMessageBatchResultEntry{Id: e.Id, MessageId: aws.String(c.newID("message"))})
	}
	switch {
	case len(in.Entries) == 0:
		return nil, refuse("AWS.SimpleQueueService.EmptyBatchRequest", "There should be at least one SendMessageBatchRequestEntry in the request.")
	case len(in.Entries) > 10:
		return nil, refuse("AWS.SimpleQueueService.TooManyEntriesInBatchRequest", "Maximum number of entries per request are 10. You have sent %d.", len(in.Entries))
	case size > mostMessage:
		return nil, refuse("AWS.SimpleQueueService.BatchRequestTooLong", "Batch requests cannot be longer than %d bytes. You have sent %d bytes.", mostMessage, size)
	}
	return out, nil
}

// badMessage returns why a queue does not take a message, or "".
func badMessage(body string, delay int32) string {
	switch {
	case body == "":
		return "The request must contain the parameter MessageBody."
	case len(body) > mostMessage:
		return "One or more parameters are invalid. Reason: Message must be shorter than 1048576 bytes."
	case delay < 0 || delay > mostDelay:
		return "Value for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900."
	}
	return ""
}

// FillQueue says how many messages wait in a queue.
func (a *Account) FillQueue(regionName, name string, n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.regions[regionName].queues[name]["ApproximateNumberOfMessages"] = strconv.Itoa(n)
}

// DeleteQueue deletes a queue by its ARN.
func (a *Account) DeleteQueue(arn string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	at, _ := awsarn.Parse(arn)
	delete(a.regions[at.Region].queues, at.Resource)
}

// queueOperations are the operations that this file answers.
var queueOperations = []operation{
	handle(createQueue),
	handle(getQueueURL),
	handle(listQueues),
	handle(getQueueAttributes),
	act[sqs.SetQueueAttributesOutput](setQueueAttributes),
	act[sqs.DeleteQueueOutput](deleteQueue),
	handle(sendMessage),
	handle(sendMessages),
}
