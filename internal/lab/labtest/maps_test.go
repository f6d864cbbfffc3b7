package labtest

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relight-aws/relight/internal/lab"
)

// A distributed map writes what its children came to into files, by status, and says where.
// A state may call Organizations.
func TestMapsExportResults(t *testing.T) {
	bucket := fmt.Sprintf("results-%d", time.Now().UnixNano())
	cli(t, lab.Region, "s3api", "create-bucket", "--bucket", bucket)
	definition := `{"StartAt":"List","States":{
		"List":{"Type":"Task","Resource":"arn:aws:states:::aws-sdk:organizations:listAccounts","ResultPath":"$.page","Next":"Map"},
		"Map":{"Type":"Map","ItemsPath":"$.items","Label":"Items","ToleratedFailurePercentage":100,"ResultPath":"$.map","End":true,
			"ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"EXPRESS"},"StartAt":"Which","States":{
				"Which":{"Type":"Choice","Choices":[{"Variable":"$","NumericEquals":2,"Next":"Bad"}],"Default":"Good"},
				"Bad":{"Type":"Fail","Error":"Bad","Cause":"it is two"},
				"Good":{"Type":"Pass","End":true}}},
			"ResultWriter":{"Resource":"arn:aws:states:::s3:putObject","Parameters":{"Bucket":"` + bucket + `","Prefix":"some"}}}}}`
	machine := cli(t, lab.Region, "stepfunctions", "create-state-machine", "--name", bucket, "--definition", definition,
		"--role-arn", role(t, bucket, "states.amazonaws.com", "*"), "--query", "stateMachineArn", "--output", "text")
	execution := cli(t, lab.Region, "stepfunctions", "start-execution", "--state-machine-arn", machine, "--input", `{"items":[1,2,3]}`, "--query", "executionArn", "--output", "text")
	var got struct{ Status, Output, Error, Cause string }
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		must(t, json.Unmarshal([]byte(cli(t, lab.Region, "stepfunctions", "describe-execution", "--execution-arn", execution, "--output", "json")), &got))
		if got.Status != "RUNNING" {
			break
		}
	}
	var out struct {
		Page struct{ Accounts []struct{ ID string } }
		Map  struct {
			MapRunArn           string
			ResultWriterDetails struct{ Bucket, Key string }
		}
	}
	if got.Status != "SUCCEEDED" {
		t.Fatalf("%+v", got)
	}
	must(t, json.Unmarshal([]byte(got.Output), &out))
	if len(out.Page.Accounts) == 0 || out.Map.ResultWriterDetails.Bucket != bucket {
		t.Errorf("output %s", got.Output)
	}
	read := func(key string, to any) {
		t.Helper()
		path := filepath.Join(t.TempDir(), "file")
		cli(t, lab.Region, "s3api", "get-object", "--bucket", bucket, "--key", key, path)
		raw, err := os.ReadFile(path)
		must(t, err)
		must(t, json.Unmarshal(raw, to))
	}
	var manifest struct {
		DestinationBucket, MapRunArn string
		ResultFiles                  map[string][]struct{ Key string }
	}
	read(out.Map.ResultWriterDetails.Key, &manifest)
	if manifest.DestinationBucket != bucket || manifest.MapRunArn != out.Map.MapRunArn || len(manifest.ResultFiles) != 3 {
		t.Errorf("%+v", manifest)
	}
	var lines []string
	for status, files := range manifest.ResultFiles {
		for _, f := range files {
			var children []struct{ Input, Output, Error, Cause, Status string }
			read(f.Key, &children)
			for _, c := range children {
				lines = append(lines, fmt.Sprint(status, " ", c))
			}
		}
	}
	slices.Sort(lines)
	want := []string{"FAILED {2  Bad it is two FAILED}", "SUCCEEDED {1 1   SUCCEEDED}", "SUCCEEDED {3 3   SUCCEEDED}"}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
