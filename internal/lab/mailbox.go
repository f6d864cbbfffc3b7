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

// MailboxURL returns the queue's URL.
func (who *Customer) MailboxURL() string { return who.mailbox }

// A Message is one notification to people. The mailbox is a queue, so what relight
// sends is its document.
type Message struct {
	Topic      string `json:"TopicArn"`
	Subject    string
	Message    string               // what people read
	Raw        string               `json:"-"` // what the queue got
	Attributes map[string]Attribute `json:"MessageAttributes"`
	Document   Document             `json:"-"` // the zero value for a message of CloudWatch's
}

// An Attribute is a message attribute, as SNS's envelope has it.
type Attribute struct{ Type, Value string }

// A Document is the part of relight's document that the lab reads.
type Document struct {
	Account  string   `json:"account"`
	Severity string   `json:"severity"`
	Outcome  string   `json:"outcome"`
	Text     string   `json:"text"`
	Kinds    []string `json:"kinds"`
	Actors   []string `json:"actors"` // who made the calls
	Causes   []struct {
		Event string `json:"event"`
		Actor string `json:"actor"`
	} `json:"causes"`
	Findings []struct {
		Code    string `json:"code"`
		Subject string `json:"subject"`
	} `json:"findings"`
	Notices []any `json:"notices"`
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
			one.Raw = one.Message
			if err := json.Unmarshal([]byte(one.Message), &one.Document); err == nil && one.Document.Text != "" {
				one.Message = one.Document.Text
			}
			mail = append(mail, one)
			if _, err := s.SQS.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: aws.String(who.mailbox), ReceiptHandle: m.ReceiptHandle}); err != nil {
				return nil, fmt.Errorf("empty the mailbox: %w", err)
			}
		}
	}
}

// found reports whether a message has one of these findings about an account, and people read
// which account that is.
func (m Message) found(account string, codes ...string) bool {
	if m.Document.Account != account || !strings.Contains(m.Document.Text, account) {
		return false
	}
	for _, f := range m.Document.Findings {
		if slices.Contains(codes, f.Code) && strings.Contains(f.Subject, account) {
			return true
		}
	}
	return false
}

// names reports whether a message says who made a call and what to do.
func (m Message) names(call, who string) bool {
	advised := len(m.Document.Notices)+len(m.Document.Findings) > 0
	for _, c := range m.Document.Causes {
		if strings.HasPrefix(c.Event, call) && strings.Contains(c.Actor, who) {
			return advised
		}
	}
	return false
}
