package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"
)

// A parameterStore keeps the versions of parameters, which the caller of fakeAWS writes, as
// Systems Manager answers.
type parameterStore map[string][]map[string]any

func (s parameterStore) serve(w http.ResponseWriter, r *http.Request, body []byte) {
	var in struct{ Name, Value string }
	_ = json.Unmarshal(body, &in)
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	switch strings.TrimPrefix(r.Header.Get("X-Amz-Target"), "AmazonSSM.") {
	case "PutParameter":
		s[in.Name] = append(s[in.Name], map[string]any{
			"Name": in.Name, "Value": in.Value, "Version": len(s[in.Name]) + 1, "LastModifiedDate": time.Now().Unix(),
			"LastModifiedUser": "arn:aws:sts::111122223333:assumed-role/operator/alice",
		})
		_ = json.NewEncoder(w).Encode(map[string]any{"Version": len(s[in.Name])})
	case "GetParameterHistory":
		if s[in.Name] == nil {
			w.WriteHeader(http.StatusBadRequest)
			_ = json.NewEncoder(w).Encode(map[string]any{"__type": "ParameterNotFound"})
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"Parameters": s[in.Name]})
	default:
		w.WriteHeader(http.StatusBadRequest)
	}
}

const operatorMay = `{"pause":{"by":["arn:aws:iam::111122223333:role/operator"]}}`

// A pause without an end or a reason, too long, of what is never paused, or by somebody who
// may not, is refused with the reason, and nothing is written.
func TestPauseRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		config string // deployed; "" if relight is not
		args   []string
		want   []string
	}{
		"nothing said":     {operatorMay, nil, []string{"--for is missing: say for how long, such as --for 2h", "--reason is missing"}},
		"no end":           {operatorMay, []string{"--reason", "x"}, []string{"--for is missing"}},
		"no reason":        {operatorMay, []string{"--for", "2h"}, []string{"--reason is missing: say why"}},
		"a blank reason":   {operatorMay, []string{"--for", "2h", "--reason", " "}, []string{"--reason is missing: say why"}},
		"a long reason":    {operatorMay, []string{"--for", "2h", "--reason", strings.Repeat("x", 201)}, []string{"its reason has 201 characters: use up to 200"}},
		"a day":            {operatorMay, []string{"--for", "1d", "--reason", "x"}, []string{"--for 1d: relight can be paused for up to 12h"}},
		"a minute more":    {operatorMay, []string{"--for", "12h1m", "--reason", "x"}, []string{"for up to 12h"}},
		"no length":        {operatorMay, []string{"--for", "soon", "--reason", "x"}, []string{`--for "soon" is not a length of time: use one such as 2h, 90m or 1h30m`}},
		"no unit":          {operatorMay, []string{"--for", "2", "--reason", "x"}, []string{`--for "2" is not a length`}},
		"nothing":          {operatorMay, []string{"--for", "0h", "--reason", "x"}, []string{`--for "0h" is not a length`}},
		"the guard":        {operatorMay, []string{"--for", "2h", "--reason", "x", "--kinds", "guard"}, []string{"guard cannot be paused"}},
		"no kind":          {operatorMay, []string{"--for", "2h", "--reason", "x", "--kinds", "alarm"}, []string{`there is no kind "alarm"`}},
		"no region":        {operatorMay, []string{"--for", "2h", "--reason", "x", "--regions", "mars"}, []string{`"mars" is not an AWS region`}},
		"all at once":      {operatorMay, []string{"--for", "1d", "--kinds", "guard"}, []string{"up to 12h", "--reason is missing", "guard cannot be paused"}},
		"nobody may":       {`{"sweepMinutes":20}`, []string{"--for", "2h", "--reason", "x"}, []string{"arn:aws:sts::111122223333:assumed-role/operator/alice may not pause relight", `add "arn:aws:iam::111122223333:role/operator" to "pause": {"by": […]} under context.relight`}},
		"another may":      {`{"pause":{"by":["arn:aws:iam::111122223333:role/director"]}}`, []string{"--for", "2h", "--reason", "x"}, []string{"may not pause relight"}},
		"of another's":     {`{"pause":{"by":["arn:aws:iam::444455556666:role/operator"]}}`, []string{"--for", "2h", "--reason", "x"}, []string{"may not pause relight"}},
		"nothing to pause": {"", []string{"--for", "2h", "--reason", "x"}, []string{"relight is not deployed"}},
	} {
		t.Run(name, func(t *testing.T) {
			template := ""
			if tt.config != "" {
				template = templateOf(t, tt.config)
			}
			fakeAWS(t, template)
			code, stdout, stderr := relight(t, append([]string{"pause"}, tt.args...)...)
			if code != exitError || stdout != "" {
				t.Errorf("exit code %d: %s", code, stdout)
			}
			for _, want := range tt.want {
				if !strings.Contains(stderr, want) {
					t.Errorf("it does not say %q: %s", want, stderr)
				}
			}
		})
	}
}

func TestPauseAndResume(t *testing.T) {
	fakeAWS(t, templateOf(t, operatorMay))
	ok := func(want string, args ...string) string {
		t.Helper()
		code, stdout, stderr := relight(t, args...)
		if code != 0 || !strings.Contains(stdout, want) {
			t.Errorf("%q: exit code %d, %s%s; want %q", args, code, stdout, stderr, want)
		}
		return stdout
	}
	ok("relight is not paused", "resume")
	end := time.Now().Add(2 * time.Hour).UTC().Format("2006-01-02T15")
	out := ok(" by arn:aws:sts::111122223333:assumed-role/operator/alice: moving VPCs (flowlogs in eu-west-1)\n",
		"pause", "--for", "2h", "--reason", "moving VPCs", "--kinds", "flowlogs", "--regions", "eu-west-1")
	if !strings.HasPrefix(out, "paused until "+end) || !strings.Contains(out, "relight resume ends the pause now") {
		t.Error(out)
	}
	if code, _, stderr := relight(t, "pause", "--for", "12h", "--reason", "more"); code != 0 { // it replaces the one before
		t.Error(stderr)
	}
	var v struct {
		SchemaVersion int `json:"schema_version"`
		Pause, Ended  map[string]any
	}
	if err := json.Unmarshal([]byte(ok("", "resume", "-o", "json")), &v); err != nil || v.SchemaVersion != 1 || v.Pause != nil || v.Ended["reason"] != "more" {
		t.Errorf("%v, %+v", err, v)
	}
	ok("relight is not paused", "resume")
	if err := json.Unmarshal([]byte(ok("", "pause", "--for", "90m", "--reason", "again", "-o", "json")), &v); err != nil || v.Pause["by"] == "" || v.Pause["until"] == "" {
		t.Errorf("%v, %+v", err, v)
	}
	ok("resumed: relight was paused until", "resume")
}

// Lengths are what people write.
func TestPauseLength(t *testing.T) {
	for text, want := range map[string]time.Duration{"2h": 2 * time.Hour, "90m": 90 * time.Minute, "1h30m": 90 * time.Minute, "12h": 12 * time.Hour, "0d12h": 12 * time.Hour, "720m": 12 * time.Hour} {
		if got, err := pauseLength(text); got != want || err != nil {
			t.Errorf("%s is %s, %v; want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"", "h", "-1h", "1.5h", "30m1h", "1s", "2 h", "99999h"} {
		if got, err := pauseLength(text); err == nil {
			t.Errorf("%q is %s", text, got)
		}
	}
}
