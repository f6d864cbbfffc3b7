package labtest

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/relight-aws/relight/internal/lab"
	"github.com/relight-aws/relight/internal/lab/tap"
)

// binary builds a program for this machine, on which it runs, and zips it.
func binary(t *testing.T, dir string) []byte {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "bootstrap")
	build := exec.CommandContext(t.Context(), "go", "build", "-tags", "lambda.norpc", "-o", bin, dir)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	raw, err := os.ReadFile(bin)
	must(t, err)
	return zipped(t, raw)
}

// zipped returns a function's code as Lambda takes it.
func zipped(t *testing.T, raw []byte) []byte {
	t.Helper()
	var z bytes.Buffer
	w := zip.NewWriter(&z)
	h := &zip.FileHeader{Name: "bootstrap", Method: zip.Deflate}
	h.SetMode(0o755)
	f, err := w.CreateHeader(h)
	must(t, err)
	_, err = f.Write(raw)
	must(t, err)
	must(t, w.Close())
	return z.Bytes()
}

// A function's own calls pass the tap under the name of its role, and the
// role's policy limits them.
func TestFunctionCalls(t *testing.T) {
	const region, name = "eu-north-1", "fn"
	s := subscribe(t, region, "default", `{"source":["aws.logs"],"detail":{"eventName":["CreateLogGroup"]}}`)
	arn := role(t, "fn-role", "lambda.amazonaws.com", "logs:CreateLogGroup")
	client := lambda.NewFromConfig(config(region))
	_, err := client.CreateFunction(t.Context(), &lambda.CreateFunctionInput{
		FunctionName: aws.String(name), Role: &arn, Runtime: lambdatypes.RuntimeProvidedal2023, Handler: aws.String("bootstrap"),
		Code: &lambdatypes.FunctionCode{ZipFile: binary(t, "./testdata/fn")}, Timeout: aws.Int32(20),
	})
	must(t, err)

	start := time.Now()
	out := invoke(t, client, name, `{"Group":"by-function"}`)
	var env []string
	must(t, json.Unmarshal(out, &env))
	if slices.Contains(env, "LAB_TOKEN") {
		t.Error("the function has the secret of the lab's own endpoints")
	}
	calls := cloud.Tap.Calls(tap.ByRole(arn, start))
	if len(calls) != 1 || calls[0].Operation != "CreateLogGroup" || calls[0].Attempt != 1 || len(calls[0].EventIDs) != 1 {
		t.Fatalf("calls of the role: %+v, want one CreateLogGroup", calls)
	}
	got := s.next()
	if len(got) != 1 || got[0].ID != calls[0].EventIDs[0] {
		t.Fatalf("events %+v, want that of the call", got)
	}
	who := got[0].Record.UserIdentity
	if want := "arn:aws:sts::" + lab.Account + ":assumed-role/fn-role/" + name; who.Type != "AssumedRole" || who.ARN != want || who.SessionContext.SessionIssuer.ARN != arn {
		t.Errorf("called by %+v, want %s of %s", who, want, arn)
	}
	if at, err := time.Parse(time.RFC3339, who.SessionContext.Attributes.CreationDate); err != nil || time.Since(at) > time.Hour {
		t.Errorf("session of %q", who.SessionContext.Attributes.CreationDate)
	}

	allow(t, "fn-role", "")
	start = time.Now()
	invoke(t, client, name, `{"Group":"refused"}`)
	calls = cloud.Tap.Calls(tap.ByRole(arn, start))
	if len(calls) == 0 || calls[0].ErrorCode != "AccessDenied" {
		t.Errorf("without a policy: %+v, want AccessDenied", calls)
	}
}

func invoke(t *testing.T, client *lambda.Client, name, payload string) []byte {
	t.Helper()
	out, err := client.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: &name, Payload: []byte(payload)})
	must(t, err)
	t.Logf("%s answered %s", name, out.Payload)
	return out.Payload
}

// A function whose role may not create log groups writes no logs while its group is
// gone, and the group stays gone.
func TestFunctionLogs(t *testing.T) {
	const region = "eu-north-1"
	client, logs := lambda.NewFromConfig(config(region)), cloudwatchlogs.NewFromConfig(config(region))
	for name, action := range map[string]string{"fn-creates": "logs:CreateLogGroup", "fn-writes": "logs:PutLogEvents"} {
		arn := role(t, name+"-role", "lambda.amazonaws.com", action)
		_, err := client.CreateFunction(t.Context(), &lambda.CreateFunctionInput{
			FunctionName: aws.String(name), Role: &arn, Runtime: lambdatypes.RuntimeProvidedal2023, Handler: aws.String("bootstrap"),
			Code: &lambdatypes.FunctionCode{ZipFile: binary(t, "./testdata/fn")}, Timeout: aws.Int32(20),
		})
		must(t, err)
		_, err = client.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String(name), Payload: []byte(`{"Group":"made-by-` + name + `"}`)})
		must(t, err)
		out, err := logs.DescribeLogGroups(t.Context(), &cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: aws.String("/aws/lambda/" + name)})
		must(t, err)
		if made := len(out.LogGroups) == 1; made != (name == "fn-creates") {
			t.Errorf("%s: its log group exists: %t", name, made)
		}
	}
}
