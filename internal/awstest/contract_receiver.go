package awstest

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// queue makes a queue of the clause's own and returns its URL.
func (p *party) queue() (url *string, err error) {
	out, err := p.SQS.CreateQueue(p.ctx, &sqs.CreateQueueInput{QueueName: aws.String(p.id)})
	if err != nil {
		return nil, err
	}
	p.later(func() { _, _ = p.SQS.DeleteQueue(p.ctx, &sqs.DeleteQueueInput{QueueUrl: out.QueueUrl}) })
	return out.QueueUrl, nil
}

// setQueue sets an attribute of a queue and returns what a read of both
// attributes then shows.
func (p *party) setQueue(url *string, name, value string) (map[string]string, error) {
	if name != "" {
		_, err := p.SQS.SetQueueAttributes(p.ctx, &sqs.SetQueueAttributesInput{QueueUrl: url, Attributes: map[string]string{name: value}})
		if err != nil {
			return nil, err
		}
	}
	out, err := p.SQS.GetQueueAttributes(p.ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: url, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNamePolicy, types.QueueAttributeNameKmsMasterKeyId},
	})
	if err != nil {
		return nil, err
	}
	return out.Attributes, nil
}

// permit adds a permission for a topic to the function, a version or alias.
func (p *party) permit(qualifier *string) error {
	_, err := p.Lambda.AddPermission(p.ctx, &lambda.AddPermissionInput{
		FunctionName: &p.Function, Qualifier: qualifier, StatementId: &p.id, Action: aws.String("lambda:InvokeFunction"),
		Principal: aws.String("sns.amazonaws.com"), SourceArn: aws.String(p.topicARN("t")),
	})
	p.later(func() {
		_, _ = p.Lambda.RemovePermission(p.ctx, &lambda.RemovePermissionInput{FunctionName: &p.Function, Qualifier: qualifier, StatementId: &p.id})
	})
	return err
}

// permitted returns the statement that permit added to a policy.
func (p *party) permitted(qualifier *string) (statement map[string]any, err error) {
	out, err := p.Lambda.GetPolicy(p.ctx, &lambda.GetPolicyInput{FunctionName: &p.Function, Qualifier: qualifier})
	if err != nil {
		return nil, err
	}
	var policy struct{ Statement []map[string]any }
	if err := json.Unmarshal([]byte(aws.ToString(out.Policy)), &policy); err != nil {
		return nil, err
	}
	for _, st := range policy.Statement {
		if st["Sid"] == p.id {
			return st, nil
		}
	}
	return nil, fmt.Errorf("no statement %s in %s", p.id, aws.ToString(out.Policy))
}

const (
	lambdaPermissions = localstack + "2025-11-25"
	queueCode         = "AWS.SimpleQueueService.NonExistentQueue"
)

var receiverClauses = []clause{
	{
		name: "a queue shows the policy and key that it was given, and none otherwise", source: "Amazon SQS API Reference, GetQueueAttributes and SetQueueAttributes",
		grade: Recorded, record: localstack + "2024-04-30",
		check: func(p *party) error {
			url, err := p.queue()
			if err != nil {
				return err
			}
			policy := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},"Action":"sqs:SendMessage","Resource":"` + p.arn("sqs", p.id) + `"}]}`
			bare, err := p.setQueue(url, "", "")
			first, err1 := p.setQueue(url, "Policy", policy)
			second, err2 := p.setQueue(url, "KmsMasterKeyId", "alias/one")
			third, err3 := p.setQueue(url, "Policy", "")
			var got, given any
			_, _ = json.Unmarshal([]byte(first["Policy"]), &got), json.Unmarshal([]byte(policy), &given)
			return errors.Join(
				err, err1, err2, err3, want("attributes of a new queue", bare, map[string]string{}), want("policy", got, given),
				want("key", second["KmsMasterKeyId"], "alias/one"), want("attributes without the policy", third, map[string]string{"KmsMasterKeyId": "alias/one"}),
			)
		},
	},
	{
		name: "a queue is found by its name", source: "Amazon SQS API Reference, GetQueueUrl", grade: Documented,
		check: func(p *party) error {
			url, err := p.queue()
			if err != nil {
				return err
			}
			out, err := p.SQS.GetQueueUrl(p.ctx, &sqs.GetQueueUrlInput{QueueName: &p.id})
			if err != nil {
				return err
			}
			return want("URL", *out.QueueUrl, *url)
		},
	},
	{
		name: "a queue that does not exist is refused as such", source: "Amazon SQS API Reference, GetQueueUrl and GetQueueAttributes, errors",
		grade: Recorded, record: localstack + "2024-04-30",
		check: func(p *party) error {
			_, named := p.SQS.GetQueueUrl(p.ctx, &sqs.GetQueueUrlInput{QueueName: &p.id})
			url, err := p.queue()
			if err != nil {
				return err
			}
			_, err = p.SQS.DeleteQueue(p.ctx, &sqs.DeleteQueueInput{QueueUrl: url})
			_, read := p.setQueue(url, "", "")
			return errors.Join(err, refused("GetQueueUrl", named, "QueueDoesNotExist", queueCode), refused("GetQueueAttributes", read, "QueueDoesNotExist", queueCode))
		},
	},
	{
		name: "a permission is a statement of the function's policy", source: "AWS Lambda API Reference, AddPermission and GetPolicy", grade: Recorded, record: lambdaPermissions,
		check: func(p *party) error {
			if err := p.permit(nil); err != nil {
				return err
			}
			st, err := p.permitted(nil)
			if err != nil {
				return err
			}
			delete(st, "Sid")
			return want("statement", st, map[string]any{
				"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": p.Function, "Principal": map[string]any{"Service": "sns.amazonaws.com"},
				"Condition": map[string]any{"ArnLike": map[string]any{"AWS:SourceArn": p.topicARN("t")}},
			})
		},
	},
	{
		name: "a permission of an alias is of the alias alone", source: "AWS Lambda API Reference, AddPermission, Qualifier", grade: Recorded, record: lambdaPermissions,
		check: func(p *party) error {
			if err := p.permit(&p.Alias); err != nil {
				return err
			}
			st, err := p.permitted(&p.Alias)
			if err != nil {
				return err
			}
			_, whole := p.permitted(nil)
			return errors.Join(want("resource", st["Resource"], p.Function+":"+p.Alias), want("the function's policy has the statement", whole == nil, false))
		},
	},
	{
		name: "a permission of the function is not one of its aliases", source: "AWS Lambda API Reference, GetPolicy, Qualifier", grade: Recorded, record: lambdaPermissions,
		check: func(p *party) error {
			if err := p.permit(nil); err != nil {
				return err
			}
			_, err := p.permitted(&p.Alias)
			return refused("GetPolicy of the alias", err, "ResourceNotFoundException")
		},
	},
	{
		name: "a function without permissions has no policy", source: "AWS Lambda API Reference, GetPolicy, errors", grade: Recorded, record: lambdaPermissions,
		check: func(p *party) error {
			_, err := p.Lambda.GetPolicy(p.ctx, &lambda.GetPolicyInput{FunctionName: &p.Function})
			return refused("GetPolicy", err, "ResourceNotFoundException")
		},
	},
	{
		name: "a function that does not exist has no policy", source: "AWS Lambda API Reference, GetPolicy, errors", grade: Recorded, record: lambdaPermissions,
		check: func(p *party) error {
			_, err := p.Lambda.GetPolicy(p.ctx, &lambda.GetPolicyInput{FunctionName: &p.id})
			return refused("GetPolicy", err, "ResourceNotFoundException")
		},
	},
	{
		name: "$LATEST takes no permission", source: "AWS Lambda API Reference, AddPermission", grade: Recorded, record: lambdaPermissions,
		check: func(p *party) error {
			return refused("AddPermission", p.permit(aws.String("$LATEST")), "InvalidParameterValueException")
		},
	},
}
