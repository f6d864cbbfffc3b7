package awsio

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	smithy "github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/relight-aws/relight/internal/awstest"
	"github.com/relight-aws/relight/internal/remedy"
)

func TestClassify(t *testing.T) {
	api := func(code, message string) error {
		return fmt.Errorf("wrapped: %w", &smithy.OperationError{ServiceID: "EC2", Err: &smithy.GenericAPIError{Code: code, Message: message}})
	}
	status := func(code int) error {
		return &smithyhttp.ResponseError{Response: &smithyhttp.Response{Response: &http.Response{StatusCode: code}}, Err: errors.New("no body")}
	}
	tests := []struct {
		err  error
		want remedy.Class
		hint bool
	}{
		{err: api("FlowLogAlreadyExists", ""), want: remedy.Present},
		{err: api("ResourceAlreadyExistsException", ""), want: remedy.Present},
		{err: api("InvalidVpcID.NotFound", ""), want: remedy.Missing},
		{err: api("ResourceNotFoundException", ""), want: remedy.Missing},
		{err: api("NotFound", ""), want: remedy.Missing},
		{err: api("OperationAbortedException", ""), want: remedy.Transient},
		{err: api("InvalidParameter", "Unable to assume given IAM role: 'arn:aws:iam::1:role/x'"), want: remedy.Transient},
		{err: api("InvalidParameter", "something else"), want: remedy.Terminal},
		{err: api("LimitExceededException", ""), want: remedy.Terminal, hint: true},
		{err: api("FlowLogsLimitExceeded", ""), want: remedy.Terminal, hint: true},
		{err: api("UnauthorizedOperation", ""), want: remedy.Terminal, hint: true},
		{err: api("AccessDenied", ""), want: remedy.Terminal, hint: true},
		{err: api("AccessDeniedException", ""), want: remedy.Terminal, hint: true},
		{err: api("AuthorizationError", ""), want: remedy.Terminal, hint: true},
		{err: api("AuthFailure", ""), want: remedy.Terminal, hint: true},
		{err: api("KMSAccessDenied", ""), want: remedy.Terminal},
		{err: api("400", "LogDestination: bucket does not exist"), want: remedy.Terminal},
		{err: api("RequestLimitExceeded", ""), want: remedy.Transient},
		{err: api("Throttling", ""), want: remedy.Transient},
		{err: api("ThrottlingException", ""), want: remedy.Transient},
		{err: api("SomethingNew", ""), want: remedy.Unknown},
		{err: status(500), want: remedy.Transient},
		{err: status(503), want: remedy.Transient},
		{err: context.DeadlineExceeded, want: remedy.Transient},
		{err: &smithy.CanceledError{Err: context.Canceled}, want: remedy.Transient},
		{err: errors.New("no idea"), want: remedy.Unknown},
	}
	for _, tt := range tests {
		e, ok := errors.AsType[*remedy.Error](wrap("ec2.CreateFlowLogs", "vpc-1", tt.err))
		if !ok || e.Class != tt.want || (e.Hint != "") != tt.hint {
			t.Errorf("%v: %+v, want class %s and a hint: %t", tt.err, e, tt.want, tt.hint)
		}
		if !errors.Is(e, tt.err) {
			t.Errorf("%v is not in the chain of %v", tt.err, e)
		}
	}
	listed := map[string]remedy.Class{}
	for class, codes := range classes {
		for _, code := range codes {
			if listed[code] != remedy.None {
				t.Errorf("%s is listed as %s and as %s", code, listed[code], class)
			}
			listed[code] = class
		}
	}
	if err := wrap("ec2.CreateFlowLogs", "vpc-1", nil); err != nil {
		t.Errorf("wrap(nil) = %v", err)
	}
}

// Every refusal of CloudTrail that is about a part of a trail says what a person
// can do about that part.
func TestEveryPartHasAHint(t *testing.T) {
	about := map[string]string{ // beginnings of codes to what the hint has to mention
		"InvalidCloudWatchLogsLogGroup": "log group", "InvalidCloudWatchLogsRole": "role", "CloudWatchLogsDelivery": "log group",
		"InsufficientSnsTopic": "topic", "InvalidSnsTopic": "topic", "Kms": "key", "InvalidKms": "key", "InsufficientEncryption": "key",
		"InsufficientS3": "bucket", "S3Bucket": "bucket", "InvalidS3": "bucket", "Organization": "organisation", "NotOrganization": "organisation",
		"CloudTrailAccessNotEnabled": "organisation", "InsufficientDependencyService": "organisation", "NoManagementAccount": "organisation",
	}
	used := map[string]bool{}
	for _, code := range classes[remedy.Terminal] {
		for begins, says := range about {
			if strings.HasPrefix(code, begins) {
				used[begins] = true
				if hint := hintFor("cloudtrail.UpdateTrail", "t", code); !strings.Contains(hint, says) {
					t.Errorf("%s: hint %q, want one about the %s", code, hint, says)
				}
			}
		}
	}
	for begins := range about {
		if !used[begins] {
			t.Errorf("no code begins with %s", begins)
		}
	}
}

// A round is a fake service's answer to one call.
type round struct {
	status int
	body   string
}

func logsError(code string) round {
	return round{400, `{"__type":"` + code + `","message":"m"}`}
}

func ec2Error(status int, code, message string) round {
	return round{status, `<Response><Errors><Error><Code>` + code + `</Code><Message>` + message + `</Message></Error></Errors></Response>`}
}

// answers is an HTTP transport that answers each call with the next round and
// repeats the last one.
type answers struct {
	rounds []round
	calls  int
	tokens map[string]bool // client tokens that it has received
}

// RoundTrip answers one call.
func (a *answers) RoundTrip(r *http.Request) (*http.Response, error) {
	if raw, err := io.ReadAll(r.Body); err == nil {
		if _, after, ok := strings.Cut(string(raw), "ClientToken="); ok {
			token, _, _ := strings.Cut(after, "&")
			a.tokens[token] = true
		}
	}
	next := a.rounds[min(a.calls, len(a.rounds)-1)]
	a.calls++
	return &http.Response{
		StatusCode: next.status, Header: http.Header{"Content-Type": {"application/x-amz-json-1.1"}},
		Body: io.NopCloser(strings.NewReader(next.body)), Request: r,
	}, nil
}

// The real clients retry against a transport that answers: they retry what
// passes, under the same client token, and do not retry what does not.
func TestRetries(t *testing.T) {
	putRetention := func(ctx context.Context, r *region) error {
		_, err := r.logs().PutRetentionPolicy(ctx, &cloudwatchlogs.PutRetentionPolicyInput{LogGroupName: aws.String("g"), RetentionInDays: aws.Int32(365)})
		return err
	}
	createFlowLogs := func(ctx context.Context, r *region) error {
		_, err := r.ec2().CreateFlowLogs(ctx, &ec2.CreateFlowLogsInput{
			ResourceIds: []string{"vpc-1"}, ResourceType: types.FlowLogsResourceTypeVpc, ClientToken: aws.String("token"),
		})
		return err
	}
	created := round{200, `<CreateFlowLogsResponse><flowLogIdSet><item>fl-1</item></flowLogIdSet></CreateFlowLogsResponse>`}
	tests := []struct {
		name   string
		call   func(context.Context, *region) error
		rounds []round
		calls  int
		code   string // of the error; "" for none
	}{
		{"quota of Logs", putRetention, []round{logsError("LimitExceededException")}, 1, "LimitExceededException"},
		{"denied", putRetention, []round{logsError("AccessDeniedException")}, 1, "AccessDeniedException"},
		{"clash", putRetention, []round{logsError("OperationAbortedException"), logsError("OperationAbortedException"), {200, "{}"}}, 3, ""},
		{"throttled", putRetention, []round{logsError("ThrottlingException"), {200, "{}"}}, 2, ""},
		{"clash for good", putRetention, []round{logsError("OperationAbortedException")}, 5, "OperationAbortedException"},
		{"role spreads", createFlowLogs, []round{ec2Error(400, "InvalidParameter", "Unable to assume given IAM role: x"), created}, 2, ""},
		{"bad parameter", createFlowLogs, []round{ec2Error(400, "InvalidParameter", "no")}, 1, "InvalidParameter"},
		{"EC2 throttles", createFlowLogs, []round{ec2Error(503, "RequestLimitExceeded", ""), created}, 2, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // the pauses between tries cost no time
				transport := &answers{rounds: tt.rounds, tokens: map[string]bool{}}
				c := &Cloud{Config: aws.Config{
					HTTPClient: &http.Client{Transport: transport},
					Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
						return aws.Credentials{AccessKeyID: "a", SecretAccessKey: "s"}, nil
					}),
				}}
				err := tt.call(t.Context(), c.in(account, home))
				if transport.calls != tt.calls || codeOf(err) != tt.code || (err == nil) != (tt.code == "") {
					t.Errorf("%d calls, %v; want %d, %q", transport.calls, err, tt.calls, tt.code)
				}
				if len(transport.tokens) > 1 {
					t.Errorf("client tokens %v, want one for all tries", transport.tokens)
				}
			})
		})
	}
}

// Calls of one operation and region stay below the quota. They do not delay
// other calls.
func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p Pace
		start := time.Now()
		for range 18 {
			if err := p.wait(t.Context(), "us-east-1", "cloudwatch.PutMetricAlarm"); err != nil {
				t.Fatal(err)
			}
		}
		if got := time.Since(start); got < 6*time.Second || got > 7*time.Second { // 3 at once, then 2.4 a second
			t.Errorf("18 alarms took %v, want 6 to 7 s", got)
		} else if p.Waited() != got {
			t.Errorf("calls waited %v for their turn, want %v", p.Waited(), got)
		}
		start = time.Now()
		for _, at := range [][2]string{{"eu-west-1", "cloudwatch.PutMetricAlarm"}, {"us-east-1", "ec2.DescribeVpcs"}} {
			if err := p.wait(t.Context(), at[0], at[1]); err != nil {
				t.Fatal(err)
			}
		}
		if got := time.Since(start); got != 0 {
			t.Errorf("another region and operation waited %v", got)
		}
		start = time.Now()
		waited := p.Waited()
		var both sync.WaitGroup
		for _, region := range []string{"eu-west-2", "eu-west-3"} { // at the same time
			both.Go(func() {
				for range 5 {
					_ = p.wait(t.Context(), region, "cloudwatch.PutMetricAlarm")
				}
			})
		}
		both.Wait()
		time.Sleep(time.Minute)
		if got := p.Waited() - waited; got == 0 || got != time.Since(start)-time.Minute {
			t.Errorf("calls in two regions waited %v, want %v", got, time.Since(start)-time.Minute)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		var err error
		for range 9 {
			err = errors.Join(err, p.wait(ctx, "us-east-1", "cloudwatch.PutMetricAlarm"))
		}
		if got := classify(err); got != remedy.Transient {
			t.Errorf("a turn after the deadline: %v is %s, want transient", err, got)
		}
		var none *Pace
		if err := none.wait(t.Context(), "us-east-1", "cloudwatch.PutMetricAlarm"); err != nil {
			t.Error(err)
		}
	})
}

// like is what the code of an error reads like.
var like = regexp.MustCompile(`^[A-Z]\w*(Exception|NotFound|Exists|Exceeded|Denied|Error|Failure|Unavailable)$|^(Invalid|Insufficient|Not|No|KMS|Kms)[A-Z]\w*$|^KMS$|^Kms$`)

// Every code on which a decision depends has a grade in internal/awstest: those
// that are classified, those that have a hint, and those that this package's code
// names, whole or by their beginning.
func TestEveryCodeHasAGrade(t *testing.T) {
	var graded []string
	for _, c := range awstest.ErrorCodes() {
		graded = append(graded, c.Names...)
	}
	for code := range hints {
		if !slices.Contains(graded, code) {
			t.Errorf("%s has a hint and no grade", code)
		}
	}
	for class, codes := range classes {
		for _, code := range codes {
			if !slices.Contains(graded, code) {
				t.Errorf("%s is of class %s and has no grade", code, class)
			}
		}
	}
	named := map[string]bool{}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			literal, ok := n.(*ast.BasicLit)
			if !ok || literal.Kind != token.STRING {
				return true
			}
			code, err := strconv.Unquote(literal.Value)
			if err != nil || !like.MatchString(code) || code == "KmsMasterKeyId" { // an attribute
				return true
			}
			named[code] = true
			if !slices.ContainsFunc(graded, func(g string) bool { return strings.HasPrefix(g, code) }) {
				t.Errorf("%s names the code %s, which has no grade", name, code)
			}
			return true
		})
	}
	for _, code := range []string{"InvalidCloudWatchLogs", "FlowLogAlreadyExists", "KMS", "ValidationError"} { // one of each way to name a code
		if !named[code] {
			t.Errorf("the code %s was not seen", code)
		}
	}
}
