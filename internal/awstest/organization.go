package awstest

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsarn "github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// An Organization is several accounts, of which a client calls the one that its
// credentials are of. A role of one account may be assumed from another, as far as its
// trust policy admits the caller.
type Organization struct {
	ID string

	accounts map[string]*Account

	mu       sync.Mutex
	keys     map[string]principal // by ID of the access key
	sessions []Session
}

// A Session is one that AssumeRole opened.
type Session struct {
	By   string            // ARN of the caller
	Role string            // ARN
	Name string            // of the session
	Tags map[string]string // of the session
}

// A principal is whom credentials are of.
type principal struct {
	arn     string
	expires time.Time // zero for never
}

// NewOrganization returns an organisation of these accounts.
func NewOrganization(id string, accounts ...*Account) *Organization {
	o := &Organization{ID: id, accounts: map[string]*Account{}, keys: map[string]principal{}}
	for _, a := range accounts {
		o.accounts[a.ID], a.organization = a, o
	}
	return o
}

// Sessions returns the sessions that were opened, in order.
func (o *Organization) Sessions() []Session {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.sessions)
}

// ConfigOf returns a configuration with the credentials of a principal of one of the
// accounts, given by its ARN. Whoever replaces the credentials calls as whom these are of.
//
// The account answers in the SDK's Deserialize stage, and knows the caller by the
// signature of the request, as AWS does. So all other stages run: the SDK validates,
// serialises, asks for credentials, signs and retries.
func (o *Organization) ConfigOf(caller string) aws.Config {
	key := o.admit(principal{arn: caller})
	type inputKey struct{}
	return aws.Config{
		Region: o.accountOf(caller).Home, Credentials: credentials.NewStaticCredentialsProvider(key, "secret", ""),
		APIOptions: []func(*middleware.Stack) error{func(stack *middleware.Stack) error {
			remember := middleware.InitializeMiddlewareFunc("awstest.Input", func(
				ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
			) (middleware.InitializeOutput, middleware.Metadata, error) {
				return next.HandleInitialize(middleware.WithStackValue(ctx, inputKey{}, in.Parameters), in)
			})
			if err := stack.Initialize.Add(remember, middleware.After); err != nil {
				return err
			}
			return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("awstest.Organization", func(
				ctx context.Context, in middleware.DeserializeInput, _ middleware.DeserializeHandler,
			) (middleware.DeserializeOutput, middleware.Metadata, error) {
				out, meta, err := o.answer(ctx, in.Request.(*smithyhttp.Request), middleware.GetStackValue(ctx, inputKey{})) //nolint:forcetypeassert // every service here speaks HTTP
				return middleware.DeserializeOutput{Result: out.Result}, meta, err
			}), middleware.Before)
		}},
	}
}

// admit returns the ID of a new access key of a principal.
func (o *Organization) admit(p principal) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	key := fmt.Sprintf("ASIAEXAMPLE%05d", len(o.keys))
	o.keys[key] = p
	return key
}

// accountOf returns the account of a principal, or nil if it is in no account of the
// organisation.
func (o *Organization) accountOf(caller string) *Account {
	at, err := awsarn.Parse(caller)
	if err != nil {
		return nil
	}
	return o.accounts[at.AccountID]
}

// signedBy matches the ID of the access key in a signed request. Source: IAM User Guide,
// "Create a signed AWS API request".
var signedBy = regexp.MustCompile(`Credential=([^/]+)/`)

// answer lets the account of the request's signature answer it. Source of the codes: AWS
// STS API Reference, "Common errors", documented.
func (o *Organization) answer(ctx context.Context, req *smithyhttp.Request, input any) (out middleware.InitializeOutput, meta middleware.Metadata, err error) {
	signature := signedBy.FindStringSubmatch(req.Header.Get("Authorization"))
	if signature == nil {
		return out, meta, refuse("MissingAuthenticationToken", "the request is not signed")
	}
	o.mu.Lock()
	p, known := o.keys[signature[1]]
	o.mu.Unlock()
	switch {
	case !known:
		return out, meta, refuse("InvalidClientTokenId", "the security token included in the request is invalid")
	case !p.expires.IsZero() && !time.Now().Before(p.expires):
		return out, meta, refuse("ExpiredToken", "the security token included in the request is expired")
	}
	return o.accountOf(p.arn).answerTo(ctx, p.arn, middleware.InitializeInput{Parameters: input})
}

// Limits of a session. Sources: AWS STS API Reference, AssumeRole, documented; IAM User
// Guide, "Methods to assume a role", documented: the session of a role can assume another
// one for an hour at most.
const (
	sessionTime = time.Hour
	mostTags    = 50
)

var sessionName = regexp.MustCompile(`^[\w+=,.@-]{2,64}$`)

// assumeRole opens a session of a role, if its trust policy admits the caller. What is
// wrong, it does not say. The permissions of the caller are not checked: an account knows
// no policies of callers.
func assumeRole(c *request, in *sts.AssumeRoleInput) (*sts.AssumeRoleOutput, error) {
	denied := func(action string) error {
		return refuse("AccessDenied", "User: %s is not authorized to perform: %s on resource: %s", c.caller, action, *in.RoleArn)
	}
	o := c.organization
	if o == nil || o.accountOf(*in.RoleArn) == nil {
		return nil, denied("sts:AssumeRole")
	}
	if !sessionName.MatchString(*in.RoleSessionName) || len(in.Tags) > mostTags {
		return nil, refuse("ValidationError", "the name of the session or its tags are not valid")
	}
	trust, exists := o.accountOf(*in.RoleArn).trustPolicy(c, *in.RoleArn)
	asked := askedBy(o, c.caller, in)
	tags := map[string]string{}
	for _, t := range in.Tags {
		tags[*t.Key] = *t.Value
	}
	for _, action := range []string{"sts:AssumeRole", "sts:TagSession"} {
		if action == "sts:TagSession" && len(tags) == 0 {
			continue
		}
		if !exists || !lets(trust, action, c.caller, asked) {
			return nil, denied(action)
		}
	}
	at, _ := awsarn.Parse(*in.RoleArn) // its account is known
	_, name := splitRole(*in.RoleArn)
	p := principal{
		arn:     "arn:" + at.Partition + ":sts::" + at.AccountID + ":assumed-role/" + name + "/" + *in.RoleSessionName,
		expires: time.Now().Add(sessionTime),
	}
	key := o.admit(p)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sessions = append(o.sessions, Session{By: c.caller, Role: *in.RoleArn, Name: *in.RoleSessionName, Tags: tags})
	return &sts.AssumeRoleOutput{
		AssumedRoleUser: &types.AssumedRoleUser{Arn: aws.String(p.arn), AssumedRoleId: aws.String("AROAEXAMPLE:" + *in.RoleSessionName)},
		Credentials:     &types.Credentials{AccessKeyId: aws.String(key), SecretAccessKey: aws.String("secret"), SessionToken: aws.String("token"), Expiration: &p.expires},
	}, nil
}

// trustPolicy returns the trust policy of one of the account's roles. It locks the account
// unless that is the one that answers the request.
func (a *Account) trustPolicy(c *request, arn string) (document string, exists bool) {
	if a != c.Account {
		a.mu.Lock()
		defer a.mu.Unlock()
	}
	r, exists := a.roleByARN(arn)
	return r.trust, exists
}

// askedBy returns the condition keys of a call of AssumeRole. Sources: IAM User Guide, "AWS
// global condition context keys" and "Pass session tags in AWS STS", documented.
func askedBy(o *Organization, caller string, in *sts.AssumeRoleInput) map[string][]string {
	keys := map[string][]string{"aws:principalarn": {issuer(caller)}}
	if o.accountOf(caller) != nil {
		keys["aws:principalorgid"] = []string{o.ID}
	}
	if in.ExternalId != nil {
		keys["sts:externalid"] = []string{*in.ExternalId}
	}
	for _, t := range in.Tags {
		keys["aws:tagkeys"] = append(keys["aws:tagkeys"], *t.Key)
		keys["aws:requesttag/"+strings.ToLower(*t.Key)] = []string{*t.Value}
	}
	return keys
}

// A trustStatement is one statement of a trust policy that is about principals of AWS.
type trustStatement struct {
	Effect    string
	Principal struct{ AWS oneOrMore }
	Action    oneOrMore
	Condition map[string]map[string]oneOrMore
}

// lets reports whether a trust policy allows a call by a principal. It knows no other
// operators of conditions than those in use here, and takes any other to be not met.
func lets(document, action, caller string, asked map[string][]string) bool {
	var policy struct{ Statement []trustStatement }
	if json.Unmarshal([]byte(document), &policy) != nil {
		return false
	}
	at, _ := awsarn.Parse(caller) // it made a request
	account := "arn:" + at.Partition + ":iam::" + at.AccountID + ":root"
	by := func(effect string) bool {
		return slices.ContainsFunc(policy.Statement, func(s trustStatement) bool {
			whom := slices.ContainsFunc(s.Principal.AWS, func(p string) bool {
				return p == "*" || p == account || p == at.AccountID || p == caller || p == issuer(caller)
			})
			return s.Effect == effect && whom && slices.Contains(s.Action, action) && meets(s.Condition, asked)
		})
	}
	return by("Allow") && !by("Deny")
}

// meets reports whether a request meets every condition. Source: IAM User Guide, "IAM JSON
// policy elements: Condition operators", documented: a key that the request lacks meets a
// negated operator and ForAllValues, and no other.
func meets(conditions map[string]map[string]oneOrMore, asked map[string][]string) bool {
	for operator, keys := range conditions {
		for key, wanted := range keys {
			got := asked[strings.ToLower(key)]
			among := func(v string) bool { return slices.Contains(wanted, v) }
			met := false
			switch operator {
			case "StringEquals", "ArnEquals":
				met = slices.ContainsFunc(got, among)
			case "StringNotEquals":
				met = !slices.ContainsFunc(got, among)
			case "ForAllValues:StringEquals":
				met = !slices.ContainsFunc(got, func(v string) bool { return !among(v) })
			}
			if !met {
				return false
			}
		}
	}
	return true
}

// organizationOperations are the operations that this file answers.
var organizationOperations = []operation{handle(assumeRole)}
