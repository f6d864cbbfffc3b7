package lab

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// Mailbox names the queue that is subscribed beside the mail address, so that
// the lab can read the notifications.
const Mailbox = "oncall"

// MailboxARN is the queue's ARN, to be configured as a subscriber.
const MailboxARN = "arn:aws:sqs:" + Region + ":" + Account + ":" + Mailbox

func (who *Customer) makeMailbox(ctx context.Context, s *Session) error {
	out, err := s.SQS.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String(Mailbox), Attributes: map[string]string{
		"Policy": *document(map[string]any{
			"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": MailboxARN,
			"Principal": map[string]any{"Service": "sns.amazonaws.com"},
		}),
	}})
	if err != nil {
		return err
	}
	who.mailbox = aws.ToString(out.QueueUrl)
	return nil
}

// A Message is one notification to people.
type Message struct {
	Topic   string `json:"TopicArn"`
	Subject string
	Message string
}

// Mail removes and returns the messages in the mailbox.
func (who *Customer) Mail(ctx context.Context, root Principal) ([]Message, error) {
	s := root.In(Region)
	var mail []Message
	for {
		out, err := s.SQS.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: aws.String(who.mailbox), MaxNumberOfMessages: 10})
		if err != nil {
			return nil, fmt.Errorf("read the mailbox: %w", err)
		}
		if len(out.Messages) == 0 {
			return mail, nil
		}
		for _, m := range out.Messages {
			var one Message
			if err := json.Unmarshal([]byte(aws.ToString(m.Body)), &one); err != nil {
				return nil, fmt.Errorf("read the mailbox: %w", err)
			}
			mail = append(mail, one)
			if _, err := s.SQS.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: aws.String(who.mailbox), ReceiptHandle: m.ReceiptHandle}); err != nil {
				return nil, fmt.Errorf("empty the mailbox: %w", err)
			}
		}
	}
}

// names reports whether a message says who made a call and what to do.
func (m Message) names(call, who string) bool {
	advised := strings.Contains(m.Message, "Notice: ") || strings.Contains(m.Message, "Needs action: ")
	return advised && slices.ContainsFunc(strings.Split(m.Message, "\n"), func(line string) bool {
		return strings.HasPrefix(line, "Cause: "+call) && strings.Contains(line, who)
	})
}
