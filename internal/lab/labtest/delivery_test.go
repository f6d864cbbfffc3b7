package labtest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/smithy-go"

	"github.com/relight-aws/relight/internal/lab"
	"github.com/relight-aws/relight/internal/lab/tap"
)

// query sends a signed call in the query protocol, as older clients do.
func query(t *testing.T, service, region string, params url.Values) []byte {
	t.Helper()
	body := []byte(params.Encode())
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, cloud.Endpoint, bytes.NewReader(body))
	must(t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	sum := sha256.Sum256(body)
	creds := aws.Credentials{AccessKeyID: lab.Account, SecretAccessKey: lab.Secret}
	must(t, v4.NewSigner().SignHTTP(t.Context(), creds, req, hex.EncodeToString(sum[:]), service, region, time.Now()))
	resp, err := http.DefaultClient.Do(req)
	must(t, err)
	defer resp.Body.Close()
	var out bytes.Buffer
	_, err = out.ReadFrom(resp.Body)
	must(t, err)
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("%s %v: %s: %s", service, params, resp.Status, out.Bytes())
	}
	return out.Bytes()
}

// A write by any client raises an event on the region's default bus.
func TestWritesRaiseEvents(t *testing.T) {
	const region = "eu-central-1"
	s := subscribe(t, region, "default", `{"source":["aws.ec2","aws.logs","aws.monitoring","aws.sns"],"detail":{"errorCode":[{"exists":false}]}}`)
	logs, cw := cloudwatchlogs.NewFromConfig(config(region)), cloudwatch.NewFromConfig(config(region))

	vpc := cli(t, region, "ec2", "create-vpc", "--cidr-block", "10.0.0.0/16", "--query", "Vpc.VpcId", "--output", "text")
	cli(t, region, "logs", "create-log-group", "--log-group-name", "writes")
	_, err := logs.DeleteLogGroup(t.Context(), &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: aws.String("writes")})
	must(t, err)
	if _, err := logs.DeleteLogGroup(t.Context(), &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: aws.String("writes")}); err == nil {
		t.Error("a log group was deleted twice")
	}
	_, err = cw.PutMetricAlarm(t.Context(), alarm("writes")) // CBOR
	must(t, err)
	cli(t, region, "cloudwatch", "disable-alarm-actions", "--alarm-names", "writes") // JSON
	query(t, "monitoring", region, url.Values{"Action": {"DeleteAlarms"}, "Version": {"2010-08-01"}, "AlarmNames.member.1": {"writes"}})
	topic := cli(t, region, "sns", "create-topic", "--name", "writes", "--query", "TopicArn", "--output", "text")
	cli(t, region, "sns", "publish", "--topic-arn", topic, "--message", "m")
	cli(t, region, "ec2", "describe-vpcs")

	var got []string
	for _, e := range s.next() {
		if e.Account != lab.Account || e.Region != region || e.Record.AWSRegion != region {
			t.Errorf("event of %s %s says region %s", e.Account, e.Region, e.Record.AWSRegion)
		}
		got = append(got, e.Record.EventName)
		switch e.Record.EventName {
		case "CreateVpc":
			if id := e.Record.ResponseElements["vpc"].(map[string]any)["vpcId"]; id != vpc {
				t.Errorf("CreateVpc of %v, want %s", id, vpc)
			}
		case "DeleteAlarms", "DisableAlarmActions":
			if names := e.Record.RequestParameters["alarmNames"].([]any); len(names) != 1 || names[0] != "writes" {
				t.Errorf("%s of %v", e.Record.EventName, names)
			}
		}
	}
	want := []string{"CreateVpc", "CreateLogGroup", "DeleteLogGroup", "PutMetricAlarm", "DisableAlarmActions", "DeleteAlarms", "CreateTopic"}
	if !slices.Equal(got, want) {
		t.Errorf("events %q, want %q", got, want)
	}
}

func alarm(name string) *cloudwatch.PutMetricAlarmInput {
	return &cloudwatch.PutMetricAlarmInput{
		AlarmName: &name, MetricName: aws.String("m"), Namespace: aws.String("n"), Statistic: cwtypes.StatisticSum,
		Period: aws.Int32(300), EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(1),
		ComparisonOperator:      cwtypes.ComparisonOperatorGreaterThanOrEqualToThreshold,
		TreatMissingData:        aws.String("notBreaching"),
		AlarmActions:            []string{"arn:aws:sns:us-east-1:111122223333:a"},
		InsufficientDataActions: []string{"arn:aws:sns:us-east-1:111122223333:b"},
	}
}

// CloudWatch's own events about alarms arrive beside the records.
func TestAlarmsSpeakForThemselves(t *testing.T) {
	const region = "ap-south-1"
	s := subscribe(t, region, "default", `{"source":["aws.cloudwatch"],"detail-type":["CloudWatch Alarm Configuration Change"]}`)
	cw := cloudwatch.NewFromConfig(config(region))
	for range 2 {
		_, err := cw.PutMetricAlarm(t.Context(), alarm("x"))
		must(t, err)
	}
	_, err := cw.DeleteAlarms(t.Context(), &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{"x", "y"}})
	must(t, err)
	var got []string
	for _, e := range s.next() {
		got = append(got, e.Record.Operation+" "+e.Record.AlarmName)
	}
	if want := []string{"create x", "update x", "delete x"}; !slices.Equal(got, want) {
		t.Errorf("events %q, want %q", got, want)
	}
}

// A refused call is recorded with its error and without its parameters.
func TestDeniedCall(t *testing.T) {
	const region = "sa-east-1"
	s := subscribe(t, region, "default", `{"source":["aws.logs","aws.ec2"]}`)
	users := iam.NewFromConfig(config(lab.Region))
	_, err := users.CreateUser(t.Context(), &iam.CreateUserInput{UserName: aws.String("mallory")})
	must(t, err)
	key, err := users.CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{UserName: aws.String("mallory")})
	must(t, err)
	cfg := config(region, *key.AccessKey.AccessKeyId, *key.AccessKey.SecretAccessKey, "")

	_, err = cloudwatchlogs.NewFromConfig(cfg).DeleteLogGroup(t.Context(), &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: aws.String("g")})
	wantCode(t, err, "AccessDeniedException")
	_, err = ec2.NewFromConfig(cfg).CreateVpc(t.Context(), &ec2.CreateVpcInput{CidrBlock: aws.String("10.0.0.0/16")})
	wantCode(t, err, "UnauthorizedOperation")

	got := s.next()
	if len(got) != 2 {
		t.Fatalf("%d events, want 2", len(got))
	}
	if r := got[0].Record; r.ErrorCode != "AccessDenied" || r.RequestParameters != nil || r.UserIdentity.UserName != "mallory" || r.UserIdentity.Type != "IAMUser" {
		t.Errorf("record %+v", r)
	}
	if r := got[1].Record; r.ErrorCode != "Client.UnauthorizedOperation" || r.RequestParameters["cidrBlock"] != "10.0.0.0/16" {
		t.Errorf("record %+v", r)
	}
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != code {
		t.Errorf("error %v, want %s", err, code)
	}
}

// Only the tap can put events in the name of AWS.
func TestForgery(t *testing.T) {
	out, err := eventbridge.NewFromConfig(config(lab.Region)).PutEvents(t.Context(), &eventbridge.PutEventsInput{
		Entries: []ebtypes.PutEventsRequestEntry{{Source: aws.String("aws.ec2"), DetailType: aws.String("AWS API Call via CloudTrail"), Detail: aws.String("{}")}},
	})
	must(t, err)
	if code := aws.ToString(out.Entries[0].ErrorCode); code != "NotAuthorizedForSourceException" {
		t.Errorf("PutEvents: %q, want NotAuthorizedForSourceException", code)
	}
	resp, err := http.Post(cloud.Endpoint+"/_lab/events", "application/json", strings.NewReader("[]"))
	must(t, err)
	resp.Body.Close()
	if resp.StatusCode != http.StatusForbidden {
		t.Errorf("the lab's own endpoint answers %s, want 403", resp.Status)
	}
}

// Put puts the event on its bus exactly as the tap would.
func TestPut(t *testing.T) {
	s := subscribe(t, "ca-central-1", "default", `{"source":["aws.sample"]}`)
	want := tap.Event{
		Version: "0", ID: "11111111-2222-3333-4444-555555555555", DetailType: "Sample", Source: "aws.sample", Account: lab.Account,
		Region: "ca-central-1", Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Resources: []string{"arn:a"}, Detail: []byte(`{"a":null}`),
	}
	must(t, cloud.Emulator.Put(t.Context(), want))
	got := s.next()
	if len(got) != 1 || got[0].ID != want.ID || !got[0].Time.Equal(want.Time) || got[0].Resources[0] != "arn:a" || got[0].Region != want.Region ||
		strings.ReplaceAll(string(got[0].Detail), " ", "") != string(want.Detail) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
