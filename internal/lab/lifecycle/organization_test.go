package lifecycle

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/relight-aws/relight/internal/lab"
)

// The schedule of a hub starts its state machine, which has the hub swept by the deployed
// function, asks Organizations for the accounts, and ends with what the function adds up. An
// execution that is given accounts sweeps those as cells, whose results the function reads from the bucket.
func TestHub(t *testing.T) {
	s := open(t)
	s.deployWith(map[string]any{"organization": map[string]any{"id": "o-a1b2c3d4e5", "hubAccount": lab.Account}})
	machine := "arn:aws:states:" + lab.Region + ":" + lab.Account + ":stateMachine:relight-sweep"
	var first struct {
		Executions []struct{ ExecutionArn string }
	}
	s.aws(&first, "list-executions", "--state-machine-arn", machine)
	if len(first.Executions) == 0 {
		t.Fatal("no schedule has started the state machine")
	}
	for _, e := range first.Executions {
		if got := s.execution(e.ExecutionArn); got.Unswept != nil || got.Failed != "" || got.Hub != "" {
			t.Errorf("an execution of the schedule: %+v", got)
		}
	}
	var started struct{ ExecutionArn string }
	s.aws(&started, "start-execution", "--state-machine-arn", machine, "--input", `{"kinds":["flowlogs"],"mode":"plan","accounts":["`+lab.Account+`"]}`)
	if got := s.execution(started.ExecutionArn); got.Accounts != 1 || got.Healthy == 0 || got.Unswept != nil {
		t.Errorf("an execution for one account: %+v", got)
	}
	s.settle()
}

// An executed is what an execution of the state machine says at its end.
type executed struct {
	Accounts, Healthy int
	Unswept           []any
	Failed, Hub       string
}

// execution waits until an execution is over, and returns what it says.
func (s *scene) execution(arn string) (out executed) {
	s.t.Helper()
	var got struct{ Status, Output, Error, Cause string }
	for end := time.Now().Add(time.Minute); ; time.Sleep(250 * time.Millisecond) {
		s.aws(&got, "describe-execution", "--execution-arn", arn)
		if got.Status != "RUNNING" || time.Now().After(end) {
			break
		}
	}
	if got.Status != "SUCCEEDED" {
		s.t.Fatalf("%s: %+v", arn, got)
	}
	if err := json.Unmarshal([]byte(got.Output), &out); err != nil {
		s.t.Fatal(err)
	}
	return out
}

// aws runs a command of Step Functions with the AWS CLI, and reads its output.
func (s *scene) aws(to any, args ...string) {
	s.t.Helper()
	cmd := exec.CommandContext(s.t.Context(), filepath.Join(must(lab.Checkout()), ".venv", "bin", "aws"), append([]string{"stepfunctions", "--output", "json"}, args...)...)
	cmd.Env = s.Cloud.Root().Environ(lab.Region)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err == nil {
		err = json.Unmarshal(out, to)
	}
	if err != nil {
		s.t.Fatalf("aws %q: %v: %s", args, err, &said)
	}
}
