package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/jsii-runtime-go"

	"github.com/relight-aws/relight/internal/catalog"
)

// mostChanges is the longest text of the parameter with changes to the configuration. It
// is in the environment of every function, which has at most 4 KB. Source: AWS Lambda
// Developer Guide, "Lambda quotas".
const mostChanges = 2048

// parameters adds the parameters of a home stack that is deployed without the CDK. It
// returns nothing for one that the CDK deploys.
func (p Props) parameters(s awscdk.Stack) (packages awss3.IBucket, overlay *string) {
	if p.Plain == nil {
		return nil, nil
	}
	bucket := awscdk.NewCfnParameter(s, jsii.String(catalog.ParamBucket), &awscdk.CfnParameterProps{
		Description: jsii.String("The bucket of this region with the packages of the functions"), AllowedPattern: jsii.String("[a-z0-9.-]{3,63}"),
	})
	awscdk.NewCfnParameter(s, jsii.String(catalog.ParamPrefix), &awscdk.CfnParameterProps{
		Description: jsii.String("What their keys begin with; empty, or with a slash at its end"), Default: jsii.String(""),
	})
	changes := awscdk.NewCfnParameter(s, jsii.String(catalog.ParamConfig), &awscdk.CfnParameterProps{
		Description: jsii.String("Changes to the configuration, a JSON object: docs/release.md lists the keys"),
		Default:     jsii.String("{}"), MaxLength: jsii.Number(mostChanges),
	})
	return awss3.Bucket_FromBucketName(s, jsii.String("Packages"), bucket.ValueAsString()), changes.ValueAsString()
}

// subscribeEmail subscribes the address of a parameter, if there is one, to the topic of a
// forwarder that is deployed without the CDK: relight restores no subscribers there.
func subscribeEmail(s awscdk.Stack, topic awssns.Topic) {
	email := awscdk.NewCfnParameter(s, jsii.String(catalog.ParamEmail), &awscdk.CfnParameterProps{
		Description: jsii.String("An address to notify if events cannot be forwarded; may be empty"), Default: jsii.String(""),
	})
	given := awscdk.NewCfnCondition(s, jsii.String("EmailGiven"), &awscdk.CfnConditionProps{
		Expression: awscdk.Fn_ConditionNot(awscdk.Fn_ConditionEquals(email.ValueAsString(), jsii.String(""))),
	})
	awssns.NewCfnSubscription(s, jsii.String("Subscription"), &awssns.CfnSubscriptionProps{
		TopicArn: topic.TopicArn(), Protocol: jsii.String("email"), Endpoint: email.ValueAsString(),
	}).CfnOptions().SetCondition(given)
}

// homeName names the home region in a description.
func (p Props) homeName() string {
	if p.anywhere() {
		return "the home region"
	}
	return p.Home
}
