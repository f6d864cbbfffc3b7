package labtest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/relight-aws/relight/internal/lab"
)

// A template may ask in which account and region it is. A topic of it has its key, and
// subscriptions that wait for whoever has to confirm them; a bus has its policy. A role
// cannot take the name of another.
func TestStacks(t *testing.T) {
	const account, region, name = "666677778888", lab.Region, "stacked"
	s := cloud.RootOf(account).In(region)
	condition := func(what, value string) string {
		return fmt.Sprintf(`{"Fn::Equals":[{"Ref":"AWS::%s"},%q]}`, what, value)
	}
	roles := func(names ...string) (out string) {
		for i, name := range names {
			out += fmt.Sprintf(`"Role%d":{"Type":"AWS::IAM::Role","Condition":%q,"Properties":{"RoleName":"stacked-%s","AssumeRolePolicyDocument":{"Version":"2012-10-17","Statement":[]}}},`, i, name, name)
		}
		return out
	}
	template := `{"Conditions":{"Here":` + condition("Region", region) + `,"There":` + condition("Region", "eu-west-1") + `,"Mine":` + condition("AccountId", account) + `,"Hub":` + condition("AccountId", lab.Account) + `},
		"Resources":{` + roles("Here", "There", "Mine", "Hub") + `
		"Key":{"Type":"AWS::KMS::Key","Properties":{"KeyPolicy":{"Version":"2012-10-17","Statement":[]}}},
		"Topic":{"Type":"AWS::SNS::Topic","Properties":{"TopicName":"stacked","KmsMasterKeyId":{"Fn::GetAtt":["Key","Arn"]},"Subscription":[
			{"Protocol":"email","Endpoint":"a@example.com"},{"Protocol":"sqs","Endpoint":"arn:aws:sqs:us-east-1:111122223333:q"},{"Protocol":"sqs","Endpoint":"arn:aws:sqs:us-east-1:666677778888:q"}]}},
		"Bus":{"Type":"AWS::Events::EventBus","Properties":{"Name":"stacked","Policy":{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"events:PutEvents","Resource":"*"}]}}}}}`
	must(t, s.DeployStack(t.Context(), name, template, nil))
	for role, want := range map[string]bool{"Here": true, "There": false, "Mine": true, "Hub": false} {
		_, err := s.IAM.GetRole(t.Context(), &iam.GetRoleInput{RoleName: aws.String(name + "-" + role)})
		if (err == nil) != want {
			t.Errorf("role of the condition %s: %v", role, err)
		}
	}
	arn := aws.String("arn:aws:sns:" + region + ":" + account + ":" + name)
	topic, err := s.SNS.GetTopicAttributes(t.Context(), &sns.GetTopicAttributesInput{TopicArn: arn})
	must(t, err)
	if key := topic.Attributes["KmsMasterKeyId"]; !strings.HasPrefix(key, "arn:aws:kms:"+region+":"+account+":key/") {
		t.Errorf("key of the topic %q", key)
	}
	subs, err := s.SNS.ListSubscriptionsByTopic(t.Context(), &sns.ListSubscriptionsByTopicInput{TopicArn: arn})
	must(t, err)
	for _, sub := range subs.Subscriptions {
		if confirmed := *sub.SubscriptionArn != "PendingConfirmation"; confirmed != (*sub.Endpoint == "arn:aws:sqs:us-east-1:666677778888:q") {
			t.Errorf("%s is confirmed: %t", *sub.Endpoint, confirmed)
		}
	}
	bus, err := s.Events.DescribeEventBus(t.Context(), &eventbridge.DescribeEventBusInput{Name: aws.String(name)})
	must(t, err)
	if len(subs.Subscriptions) != 3 || !strings.Contains(aws.ToString(bus.Policy), "events:PutEvents") {
		t.Errorf("%d subscriptions, and a bus with the policy %q", len(subs.Subscriptions), aws.ToString(bus.Policy))
	}
	err = s.DeployStack(t.Context(), "second", `{"Conditions":{"Here":`+condition("Region", region)+`},"Resources":{`+strings.TrimSuffix(roles("Here"), ",")+`}}`, nil)
	if err == nil || !strings.Contains(err.Error(), "stacked-Here already exists") {
		t.Errorf("a stack with a role whose name is taken: %v", err)
	}
}
