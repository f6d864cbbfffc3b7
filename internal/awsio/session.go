package awsio

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"
	smithy "github.com/aws/smithy-go"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/remedy"
)

// A Session is how a function of the hub acts in a guarded account, or a person who may assume
// another role there. Without a function it has no tags, which only the role of the template admits.
type Session struct {
	Role       string // ARN of the role there
	Name       string // of the session: the deployed name of the function, as Lambda names the function's own session
	Function   catalog.Function
	ExternalID string                       // "" for none
	Run        func(context.Context) string // returns the ID of the invocation; nil or "" for none
}

// renewal is how long before they expire the credentials of a session are replaced. A
// function's invocation takes no longer.
const renewal = 15 * time.Minute

// Assume returns the settings of calls in another account. The first call opens a session
// of the role there, with the credentials of c, and the calls of one process share it
// until shortly before it expires. It lasts an hour, the longest that AWS grants to the
// session of a role. Source: IAM User Guide, "Methods to assume a role", role chaining,
// documented.
func (c *Cloud) Assume(s Session) aws.Config {
	cfg := c.Config.Copy()
	cfg.Credentials = aws.NewCredentialsCache(assumed{c, s}, func(o *aws.CredentialsCacheOptions) { o.ExpiryWindow = renewal })
	return cfg
}

// RoleCreated returns when a role of the account was created. Source: IAM API Reference,
// Role, CreateDate, documented.
func (c *Cloud) RoleCreated(ctx context.Context, name string) (time.Time, error) {
	out, err := c.home(c.Want.HomeRegion).iam().GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String(name)})
	if err != nil {
		return time.Time{}, bare(err)
	}
	return aws.ToTime(out.Role.CreateDate), nil
}

// assumed provides the credentials of a session.
type assumed struct {
	cloud   *Cloud
	session Session
}

// Retrieve opens a session. It asks the endpoint of the home region, whose credentials all
// regions accept. Source: IAM User Guide, "Manage AWS STS in an AWS Region", documented.
//
// The tags are those that the trust policy of the role accepts: see package spoke.
func (a assumed) Retrieve(ctx context.Context) (aws.Credentials, error) {
	in := &sts.AssumeRoleInput{
		RoleArn: aws.String(a.session.Role), RoleSessionName: aws.String(a.session.Name), ExternalId: nonzero(a.session.ExternalID),
	}
	if a.session.Function != "" {
		in.Tags = []types.Tag{{Key: aws.String(catalog.SessionFunction), Value: aws.String(string(a.session.Function))}}
	}
	if a.session.Run != nil {
		if run := a.session.Run(ctx); run != "" {
			in.Tags = append(in.Tags, types.Tag{Key: aws.String(catalog.SessionRun), Value: aws.String(run)})
		}
	}
	out, err := client(a.cloud.home(a.cloud.Want.HomeRegion), sts.NewFromConfig).AssumeRole(ctx, in)
	if err != nil {
		return aws.Credentials{}, bare(err)
	}
	got := out.Credentials
	return aws.Credentials{
		AccessKeyID: aws.ToString(got.AccessKeyId), SecretAccessKey: aws.ToString(got.SecretAccessKey), SessionToken: aws.ToString(got.SessionToken),
		CanExpire: true, Expires: aws.ToTime(got.Expiration), Source: "relight",
	}, nil
}

// unknownCodes say that AWS does not know the credentials of a call, in the words of services
// with different protocols. A session is no longer valid once its role is deleted, and it
// stays so if the role is made again. Recorded 2024-08-29 (aws-sdk-java-v2, issue 5545): a
// role that is deleted and made again, and InvalidClientTokenId until the cached session has
// expired. Source of the other codes: "Common errors" of the API references of CloudWatch
// Logs and EC2, documented.
var unknownCodes = []string{"InvalidClientTokenId", "UnrecognizedClientException", "AuthFailure"}

// renew forgets the session that credentials are of if AWS knows it no more, so that the
// next call opens another one: a role that people have put back lets relight in at once, and
// one that is gone is reported. It returns whether another call makes sense.
func renew(of aws.CredentialsProvider, err error) bool {
	cache, cached := of.(*aws.CredentialsCache)
	api, refused := errors.AsType[smithy.APIError](err)
	if !cached || !cache.IsCredentialsProvider(assumed{}) || !refused || !slices.Contains(unknownCodes, api.ErrorCode()) {
		return false
	}
	cache.Invalidate()
	return true
}

// Closed returns the role of a session that AWS refuses for good, and why. It returns false
// for any other error.
func Closed(err error) (role, why string, closed bool) {
	e, ok := errors.AsType[*remedy.Error](err)
	if !ok || e.Op != assumeOp || e.Class.Retry() {
		return "", "", false
	}
	return e.Target, lasting(e), true
}
