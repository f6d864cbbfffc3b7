package lab

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
)

// A Principal has an access key to the lab's account and calls it as ordinary
// clients do.
type Principal struct {
	AccessKey string
	Secret    string

	endpoint string
	venv     string
}

// Root returns the root user of the lab's own account.
func (c *Cloud) Root() Principal { return c.RootOf(Account) }

// RootOf returns the root user of an account, which need not exist before.
func (c *Cloud) RootOf(account string) Principal {
	return Principal{AccessKey: account, Secret: Secret, endpoint: c.Endpoint, venv: c.venv}
}

// Beneath returns the root user as a caller of the emulator itself, past the tap: its
// calls are recorded nowhere and raise no event.
func (c *Cloud) Beneath() Principal {
	p := c.Root()
	p.endpoint = c.Emulator.URL
	return p
}

// Environ returns the environment in which any AWS client calls the lab as the
// principal: this process's environment without its AWS settings.
func (p Principal) Environ(region string) []string {
	env := slices.DeleteFunc(os.Environ(), func(kv string) bool {
		return strings.HasPrefix(kv, "AWS_") && !strings.HasPrefix(kv, "AWS_CA_BUNDLE=")
	})
	return append(env,
		"AWS_ENDPOINT_URL="+p.endpoint,
		"AWS_ACCESS_KEY_ID="+p.AccessKey,
		"AWS_SECRET_ACCESS_KEY="+p.Secret,
		"AWS_REGION="+region,
		"AWS_DEFAULT_REGION="+region,
		"AWS_EC2_METADATA_DISABLED=true",
		"AWS_PAGER=",
		// Without these, clients would read the caller's profiles: these files
		// do not exist.
		"AWS_CONFIG_FILE="+os.DevNull,
		"AWS_SHARED_CREDENTIALS_FILE="+os.DevNull,
	)
}

// Config returns the principal's settings for the AWS SDK.
func (p Principal) Config(region string) aws.Config {
	return aws.Config{
		Region:       region,
		BaseEndpoint: aws.String(p.endpoint),
		Credentials:  credentials.NewStaticCredentialsProvider(p.AccessKey, p.Secret, ""),
		Retryer: func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) { o.MaxBackoff = time.Second })
		},
	}
}

// A Session is a principal's SDK clients in one region.
type Session struct {
	EC2        *ec2.Client
	Events     *eventbridge.Client
	Scheduler  *scheduler.Client
	Stacks     *cloudformation.Client
	Logs       *cloudwatchlogs.Client
	CloudWatch *cloudwatch.Client // speaks RPCv2 CBOR
	CloudTrail *cloudtrail.Client
	IAM        *iam.Client
	KMS        *kms.Client
	Lambda     *lambda.Client
	S3         *s3.Client
	SNS        *sns.Client
	SQS        *sqs.Client
	SSM        *ssm.Client
	Region     string

	principal Principal
}

// In returns the principal's clients in a region.
func (p Principal) In(region string) *Session {
	cfg := p.Config(region)
	return &Session{
		EC2: ec2.NewFromConfig(cfg), Events: eventbridge.NewFromConfig(cfg), Scheduler: scheduler.NewFromConfig(cfg), Stacks: cloudformation.NewFromConfig(cfg), Logs: cloudwatchlogs.NewFromConfig(cfg), CloudWatch: cloudwatch.NewFromConfig(cfg),
		CloudTrail: cloudtrail.NewFromConfig(cfg), IAM: iam.NewFromConfig(cfg), KMS: kms.NewFromConfig(cfg), Lambda: lambda.NewFromConfig(cfg),
		S3: s3.NewFromConfig(cfg), SNS: sns.NewFromConfig(cfg), SQS: sqs.NewFromConfig(cfg), SSM: ssm.NewFromConfig(cfg), Region: region, principal: p,
	}
}

// AWS runs the AWS CLI and returns its output.
func (s *Session) AWS(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(s.principal.venv, "bin", "aws"), args...)
	cmd.Env = s.principal.Environ(s.Region)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("aws %s: %w: %s", strings.Join(args, " "), err, bytes.TrimSpace(errs.Bytes()))
	}
	return strings.TrimSpace(out.String()), nil
}
