package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relight-aws/relight/internal/catalog"
)

// fakeLogs answers what "relight history" asks, with log groups and the lines of one
// query. It returns the queries.
func fakeLogs(t *testing.T, groups []map[string]any, lines ...map[string]string) *[]map[string]any {
	t.Helper()
	noAWS(t)
	var queries []map[string]any
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := func(v any) {
			if err := json.NewEncoder(w).Encode(v); err != nil {
				t.Error(err)
			}
		}
		var in map[string]any
		_ = json.NewDecoder(r.Body).Decode(&in) // of STS, it is no JSON
		switch target := r.Header.Get("X-Amz-Target"); target {
		case "":
			fmt.Fprint(w, `<GetCallerIdentityResponse><GetCallerIdentityResult><Account>111122223333</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`)
		case "Logs_20140328.DescribeLogGroups":
			answer(map[string]any{"logGroups": groups})
		case "Logs_20140328.StartQuery":
			queries = append(queries, in)
			answer(map[string]any{"queryId": "q"})
		case "Logs_20140328.GetQueryResults":
			results := [][]map[string]string{}
			for i, line := range lines {
				row := []map[string]string{{"field": "@ptr", "value": fmt.Sprint(i)}}
				for field, value := range line {
					row = append(row, map[string]string{"field": field, "value": value})
				}
				results = append(results, row)
			}
			answer(map[string]any{"status": "Complete", "results": results})
		default:
			t.Errorf("unexpected call %s", target)
		}
	}))
	t.Cleanup(server.Close)
	for key, value := range map[string]string{
		"AWS_ENDPOINT_URL": server.URL, "AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_MAX_ATTEMPTS": "1",
	} {
		t.Setenv(key, value)
	}
	local(t, `{}`)
	return &queries
}

// functionGroups returns the log groups of every function.
func functionGroups(days int) []map[string]any {
	var groups []map[string]any
	for _, f := range catalog.Functions() {
		groups = append(groups, map[string]any{"logGroupName": "/aws/lambda/relight-" + string(f) + "-0a1b2c3d", "retentionInDays": days})
	}
	return append(groups, map[string]any{"logGroupName": "/aws/lambda/relight-alarms-of-somebody-else"})
}

// restoredLine returns a line about a restored alarm.
func restoredLine(at, function, actor, target string) map[string]string {
	line := map[string]string{
		"@timestamp": "2026-03-03 " + at, "@log": "111122223333:/aws/lambda/relight-" + function + "-0a1b2c3d", "msg": "action", "outcome": "restored",
		"account": "111122223333", "region": "eu-west-1", "kind": "alarms", "verb": "put", "target": target,
		"action": "put alarm " + target + " on relight/root-usage (it does not exist)", "reason": "it does not exist",
	}
	if actor != "" {
		line["actor"], line["source_ip"], line["event"], line["event_id"] = actor, "192.0.2.10", "DeleteAlarms", "e-"+at
		line["event_time"], line["lag_ms"] = "2026-03-03T"+at[:5]+":00Z", "4200"
	}
	return line
}

func sampleHistory() []map[string]string {
	const alice = "arn:aws:iam::111122223333:user/Alice"
	failed := restoredLine("12:30:00.000", "alarms", alice, "relight-b")
	failed["outcome"], failed["error"] = "failed", "cloudwatch.PutMetricAlarm relight-b: AccessDenied: no"
	planned := func(at string) map[string]string {
		line := restoredLine(at, "backfill", "", "vpc-1")
		line["outcome"], line["kind"], line["region"], line["action"], line["reason"] = "planned", "flowlogs", "us-west-2", "create flow-log on vpc-1 to relight-flow-logs (it has none)", "it has none"
		return line
	}
	notice := restoredLine("13:00:00.000", "loggroups", `arn:aws:sts::111122223333:assumed-role/Admin/eve, source identity "x\u202e"`, "trail")
	notice["msg"], notice["event"], notice["advice"] = "notice", "DeleteLogStream", "Ask who."
	delete(notice, "outcome")
	delete(notice, "action")
	unread := map[string]string{
		"@timestamp": "2026-03-03 14:00:00.000", "@log": "111122223333:/aws/lambda/relight-backfill", "msg": "run", "outcome": "failed",
		"scope": "111122223333/eu-west-1/trails", "account": "111122223333", "region": "eu-west-1", "kind": "trails", "error": "observe 111122223333/eu-west-1/trails: throttled",
	}
	second := restoredLine("12:00:04.201", "alarms", alice, "relight-a2") // of the same run
	second["event_id"] = "e-12:00:04.200"
	return []map[string]string{
		restoredLine("12:00:04.200", "alarms", alice, "relight-a"), second,
		failed, planned("12:40:00.000"), planned("12:55:00.000"), notice,
		restoredLine("13:10:00.000", "backfill", "", "relight-d"), restoredLine("13:10:01.000", "alarms", alice, "relight-d"), // together
		restoredLine("13:30:00.000", "backfill", "", "relight-d"), restoredLine("13:45:00.000", "backfill", "", "relight-d"), // again
		unread,
	}
}

func TestHistory(t *testing.T) {
	path, err := filepath.Abs(filepath.Join("testdata", "history.txt"))
	if err != nil {
		t.Fatal(err)
	}
	queries := fakeLogs(t, functionGroups(90), sampleHistory()...)
	code, stdout, stderr := relight(t, "history", "--since", "10000d") // which no log has, so that the notes are there
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	for _, q := range *queries {
		if n := len(q["logGroupNames"].([]any)); n != len(catalog.Functions()) || q["queryString"] != historyQuery {
			t.Errorf("asked %d log groups %v", n, q["queryString"])
		}
	}
	stdout, _, _ = strings.Cut(stdout, " since ") // the time differs
	if *update {
		if err := os.WriteFile(path, []byte(stdout+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), stdout+"\n"); diff != "" {
		t.Errorf("%s, rewritten by go test -update (-want +got):\n%s", path, diff)
	}
}

// The table fits a terminal of 80 columns.
func TestHistoryFits(t *testing.T) {
	var out strings.Builder
	h := history{Region: "eu-west-1"}
	for _, line := range sampleHistory() {
		h.Entries = append(h.Entries, entryOf(line))
	}
	if err := printHistory(&out, h, 80); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out.String()) {
		if n := len([]rune(line)) - 1; n > 80 {
			t.Errorf("%d columns: %s", n, line)
		}
		if strings.ContainsRune(line, '\u202e') {
			t.Errorf("a caller turned the direction of the text: %q", line)
		}
	}
}

func TestHistoryJSON(t *testing.T) {
	fakeLogs(t, functionGroups(0), sampleHistory()...)
	code, stdout, stderr := relight(t, "history", "--output", "json")
	var got history
	if err := json.Unmarshal([]byte(stdout), &got); err != nil || code != 0 {
		t.Fatalf("%v, exit code %d: %s", err, code, stderr)
	}
	if got.SchemaVersion != 1 || got.Account != "111122223333" || got.Region != "eu-west-1" || got.To.Sub(got.From) != 7*24*time.Hour || len(got.Notes) != 0 {
		t.Errorf("%+v", got)
	}
	at, lag := time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC), int64(4200)
	want := entry{
		Time: at.Add(4200 * time.Millisecond), Times: 1, Outcome: "restored", Account: "111122223333", Region: "eu-west-1", Kind: "alarms", Verb: "put", Target: "relight-a",
		Action: "put alarm relight-a on relight/root-usage (it does not exist)", Reason: "it does not exist", Actor: "arn:aws:iam::111122223333:user/Alice",
		SourceIP: "192.0.2.10", Event: "DeleteAlarms", EventID: "e-12:00:04.200", EventTime: &at, Lag: &lag, Function: "relight-alarms",
	}
	if diff := cmp.Diff(want, got.Entries[0]); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	var outcomes []string
	for _, e := range got.Entries {
		outcomes = append(outcomes, fmt.Sprintf("%s %s %d", e.Kind, e.Outcome, e.Times))
	}
	if diff := cmp.Diff([]string{"alarms restored 1", "alarms restored 1", "alarms failed 1", "flowlogs planned 2", "alarms noticed 1", "alarms restored 1", "alarms restored 1", "alarms restored 1", "trails failed 1"}, outcomes); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// What the caller asks for never becomes a part of the query.
func TestHistoryAsksForNoMore(t *testing.T) {
	for name, tt := range map[string]struct {
		args []string
		want int
	}{
		"a caller":         {[]string{"--actor", "user/alice"}, 4},
		"a quote":          {[]string{"--actor", `x" or msg like /./ | fields @message #`}, 0},
		"a kind":           {[]string{"--kind", "trails,flowlogs"}, 2},
		"both":             {[]string{"--kind", "alarms", "--actor", "eve"}, 1},
		"nobody in a week": {[]string{"--actor", "mallory", "--since", "1w"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			queries := fakeLogs(t, functionGroups(90), sampleHistory()...)
			code, stdout, stderr := relight(t, append([]string{"history", "--output", "json"}, tt.args...)...)
			var got history
			if err := json.Unmarshal([]byte(stdout), &got); err != nil || code != 0 || len(got.Entries) != tt.want {
				t.Errorf("exit code %d, %d entries, want %d: %s", code, len(got.Entries), tt.want, stderr)
			}
			for _, q := range *queries {
				if q["queryString"] != historyQuery {
					t.Errorf("query %v", q["queryString"])
				}
			}
		})
	}
}

func TestHistoryRefuses(t *testing.T) {
	for _, tt := range []struct {
		args, groups string
		want         string
	}{
		{"--since yesterday", "all", `"yesterday" is no age: use 7d, 12h or 90m`},
		{"--since -3d", "all", "is no age"},
		{"--since 999999d", "all", "is no age"},
		{"--kind alarm", "all", `there is no kind "alarm"`},
		{"", "none", "relight has no logs"},
	} {
		groups := functionGroups(90)
		if tt.groups == "none" {
			groups = []map[string]any{}
		}
		fakeLogs(t, groups)
		if code, _, stderr := relight(t, append([]string{"history"}, strings.Fields(tt.args)...)...); code != exitError || !strings.Contains(stderr, tt.want) {
			t.Errorf("%s: exit code %d: %s", tt.args, code, stderr)
		}
	}
}

// Logs that do not reach back as far, and functions without a log, are named.
func TestHistoryNotes(t *testing.T) {
	fakeLogs(t, functionGroups(30)[1:])
	_, stdout, _ := relight(t, "history", "--since", "31d")
	for _, want := range []string{"0 entries since ", "! there is no log group /aws/lambda/relight-" + string(catalog.Functions()[0]) + "-*: ", "the functions' logs are kept for 30 days: what is older is gone"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("it does not say %q:\n%s", want, stdout)
		}
	}
}
