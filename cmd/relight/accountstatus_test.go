package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/google/go-cmp/cmp"

	"github.com/relight-aws/relight/internal/app"
	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/config"
)

// finished has Step Functions know executions, the last one first, each with its input and output.
// It returns what status reads of them.
func finished(t *testing.T, executions ...[2]any) ([]accountStatus, int) {
	t.Helper()
	fakeAWS(t, templateOf(t, aHub))
	read := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct{ ExecutionArn string }
		_ = json.NewDecoder(r.Body).Decode(&in)
		answer := func(v any) { _ = json.NewEncoder(w).Encode(v) }
		if strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".ListExecutions") {
			found := []any{}
			for i := range executions {
				found = append(found, map[string]any{"executionArn": fmt.Sprint(i), "name": "x", "status": "SUCCEEDED", "startDate": 1, "stateMachineArn": "x"})
			}
			answer(map[string]any{"executions": found})
			return
		}
		read++
		var i int
		_, _ = fmt.Sscan(in.ExecutionArn, &i)
		asked, _ := json.Marshal(executions[i][0])
		sum, _ := json.Marshal(executions[i][1])
		answer(map[string]any{"executionArn": in.ExecutionArn, "status": "SUCCEEDED", "startDate": 1, "stateMachineArn": "x", "input": string(asked), "output": string(sum)})
	}))
	defer server.Close()
	t.Setenv("AWS_ENDPOINT_URL_SFN", server.URL)
	cfg, err := awsconfig.LoadDefaultConfig(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c, err := config.Parse([]byte(aHub))
	if err != nil {
		t.Fatal(err)
	}
	s := status{Account: theHub}
	acct := &account{aws: cfg, config: c, deployment: catalog.Deployment{Account: theHub, HomeRegion: "eu-west-1"}}
	if err := acct.accountStatus(t.Context(), &s); err != nil {
		t.Fatal(err)
	}
	return s.Accounts, read
}

// The status of each account is what the last sweep of all of it came to. One that could not be
// swept has that of the one before.
func TestAccountStatus(t *testing.T) {
	at := func(minutes int) *time.Time {
		t := atFirst.Add(time.Duration(minutes) * time.Minute)
		return &t
	}
	whole := func(minutes int, more ...app.Swept) app.Gathered {
		return app.Gathered{Own: &app.Swept{Account: theHub, Healthy: 42, Time: at(minutes)}, Swept: more}
	}
	last := whole(30, app.Swept{Account: theFirst, Healthy: 9, Repaired: 1, Planned: 2, Unrestored: 1, Why: "put alarm a: no", Time: at(30)})
	last.Unswept = []app.Unswept{{Account: theSecond, Error: "it took too long"}, {Account: theThird, Error: "no answer"}}
	got, read := finished(t,
		[2]any{asking{Kinds: []catalog.Kind{catalog.Alarms}}, whole(45, app.Swept{Account: theFirst, Time: at(45)})}, // says nothing of the whole
		[2]any{asking{Accounts: []string{theThird}}, app.Gathered{Swept: []app.Swept{{Account: theThird, Healthy: 3, Planned: 2, Findings: 1, Wires: 1, Why: "cut", Time: at(40)}}}},
		[2]any{asking{Mode: "repair", Kinds: catalog.Kinds()}, last}, // as the schedules ask
		[2]any{asking{Regions: []string{"eu-west-1"}}, whole(20, app.Swept{Account: theSecond, Time: at(20)})},
		[2]any{asking{}, whole(15, app.Swept{Account: theFirst, Time: at(15)}, app.Swept{Account: theSecond, Healthy: 5, Time: at(15), Wires: app.Unchecked})},
		[2]any{asking{}, whole(0)},
	)
	want := []accountStatus{
		{Account: theHub, Healthy: 42, Checked: at(30), Wires: "intact"},
		{Account: theFirst, Healthy: 9, ToRestore: 1, Checked: at(30), Wires: "intact", Why: "put alarm a: no"},
		{Account: theSecond, Healthy: 5, Checked: at(15), Wires: "unknown", Why: "the last sweep could not sweep it: it took too long"},
		{Account: theThird, Healthy: 3, ToRestore: 2, NeedsAction: 1, Checked: at(40), Wires: "cut", Why: "cut"},
	}
	if diff := cmp.Diff(want, got); diff != "" || read != 5 {
		t.Errorf("%d read, want 5 (-want +got):\n%s", read, diff)
	}
}
