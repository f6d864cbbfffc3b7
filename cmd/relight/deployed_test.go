package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/config"
)

// fakeAWS answers what a command asks before it looks at an account: who the caller is,
// whether the function is deployed, and with which template. An empty template is none,
// and one that is a code is refused with it.
func fakeAWS(t *testing.T, template string) {
	t.Helper()
	fakeStack(t, template, "")
}

// fakeStack is fakeAWS with what DescribeStacks says of the stack.
func fakeStack(t *testing.T, template, stack string) {
	t.Helper()
	noAWS(t)
	parameter := parameterStore{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		refuse := func(code, message string) {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprintf(w, `<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error></ErrorResponse>`, code, message)
		}
		body, _ := io.ReadAll(r.Body) // an empty body is an unknown call
		switch asked := string(body); {
		case strings.HasPrefix(r.Header.Get("X-Amz-Target"), "AmazonSSM."):
			parameter.serve(w, r, body)
		case strings.Contains(asked, "Action=GetCallerIdentity"):
			fmt.Fprint(w, `<GetCallerIdentityResponse><GetCallerIdentityResult><Account>111122223333</Account><Arn>arn:aws:sts::111122223333:assumed-role/operator/alice</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>`)
		case strings.Contains(asked, "Action=GetTemplate") && template == "":
			refuse("ValidationError", "Stack with id relight does not exist")
		case strings.Contains(asked, "Action=GetTemplate") && !strings.Contains(template, "{"):
			refuse(template, "not today")
		case strings.Contains(asked, "Action=GetTemplate"):
			fmt.Fprintf(w, `<GetTemplateResponse><GetTemplateResult><TemplateBody>%s</TemplateBody></GetTemplateResult></GetTemplateResponse>`, html.EscapeString(template))
		case strings.Contains(asked, "Action=DescribeStacks"):
			fmt.Fprintf(w, `<DescribeStacksResponse><DescribeStacksResult><Stacks><member>%s</member></Stacks></DescribeStacksResult></DescribeStacksResponse>`, stack)
		case strings.HasSuffix(r.URL.Path, "/functions/relight-backfill/configuration") && template != "":
			fmt.Fprintf(w, `{"Environment":{"Variables":{%q:"arn:aws:sns:eu-west-1:111122223333:relight-Topic"}}}`, catalog.EnvTopic)
		case strings.HasSuffix(r.URL.Path, "/configuration"):
			w.Header().Set("X-Amzn-ErrorType", "ResourceNotFoundException")
			w.WriteHeader(http.StatusNotFound)
		default:
			refuse("AccessDenied", "no call of this test's: "+r.URL.Path)
		}
	}))
	t.Cleanup(server.Close)
	for key, value := range map[string]string{
		"AWS_ENDPOINT_URL": server.URL, "AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_MAX_ATTEMPTS": "1",
	} {
		t.Setenv(key, value)
	}
}

// templateOf returns a template as the stack with that configuration has it.
func templateOf(t *testing.T, raw string) string {
	t.Helper()
	c, err := config.Parse([]byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	metadata := map[string]string{catalog.ConfigSchemaKey: catalog.ConfigSchema}
	for path, value := range c.Facts() {
		metadata[catalog.ConfigKey+path] = value
	}
	text, err := json.Marshal(map[string]any{"Metadata": metadata, "Resources": map[string]any{}})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// local writes cdk.json into the working directory.
func local(t *testing.T, raw string) {
	t.Helper()
	if err := os.WriteFile(defaultConfig, []byte(`{"context":{"relight":`+raw+`}}`), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestConfig(t *testing.T) {
	const five = `{"controls":{"root-usage":{"threshold":5}},"modes":{"flowlogs":"observe"}}`
	for name, tt := range map[string]struct {
		deployed, local string // a configuration
		code            int
		want            []string
	}{
		"equal":       {five, five, 0, []string{"deployed: stack relight in eu-west-1, account 111122223333\n", "  controls.root-usage.threshold = 5\n", "no difference\n"}},
		"by default":  {`{}`, `{"sweepMinutes":15}`, 0, []string{"  the defaults\n", "no difference\n"}},
		"different":   {five, `{"controls":{"root-usage":{"threshold":1}},"sweepMinutes":30}`, exitToDo, []string{"~ controls.root-usage.threshold: 5 to 1\n", "- modes.flowlogs = \"observe\"\n", "+ sweepMinutes = 30\n", "3 differences"}},
		"one":         {`{}`, `{"sweepMinutes":30}`, exitToDo, []string{"1 difference: "}},
		"no cdk.json": {five, "", exitError, []string{"deployed: stack", "there is no cdk.json here to compare with"}},
	} {
		t.Run(name, func(t *testing.T) {
			fakeAWS(t, templateOf(t, tt.deployed))
			if tt.local != "" {
				local(t, tt.local)
			}
			code, stdout, stderr := relight(t, "config")
			if code != tt.code {
				t.Errorf("exit code %d, want %d", code, tt.code)
			}
			for _, want := range tt.want {
				if !strings.Contains(stdout+stderr, want) {
					t.Errorf("it does not say %q:\n%s%s", want, stdout, stderr)
				}
			}
			code, stdout, _ = relight(t, "config", "-o", "json")
			var got map[string]any
			if err := json.Unmarshal([]byte(stdout), &got); err != nil || code != tt.code || got["schema_version"] != 1.0 || got["differences"] == nil || (got["local"] == nil) != (tt.local == "") {
				t.Errorf("exit code %d, %v:\n%s", code, err, stdout)
			}
		})
	}
}

// A stack that was deployed without the CDK has changes to the configuration in a
// parameter.
func TestConfigParameter(t *testing.T) {
	template := strings.Replace(templateOf(t, `{"sweepMinutes":30}`), `"Resources"`, `"Parameters":{"Config":{"Type":"String"}},"Resources"`, 1)
	parameter := func(value string) string {
		return `<Parameters><member><ParameterKey>AssetBucket</ParameterKey><ParameterValue>{</ParameterValue></member><member><ParameterKey>Config</ParameterKey><ParameterValue>` +
			html.EscapeString(value) + `</ParameterValue></member></Parameters>`
	}
	for name, tt := range map[string]struct {
		stack string
		code  int
		want  string
	}{
		"changed":   {parameter(`{"controls":{"root-usage":{"threshold":5}}}`), exitToDo, "  controls.root-usage.threshold = 5\n  sweepMinutes = 30\n"},
		"unchanged": {parameter(`{}`), exitToDo, "deployed: stack relight in eu-west-1, account 111122223333\n  sweepMinutes = 30\n"},
		"refused":   {parameter(`{"sweepMinutes":60}`), exitError, "cannot be read: the parameter Config: sweepMinutes: the templates"},
		"absent":    {"", exitError, "cannot be read: the stack has no value of the parameter Config"},
	} {
		t.Run(name, func(t *testing.T) {
			fakeStack(t, template, tt.stack)
			local(t, `{}`)
			if code, stdout, stderr := relight(t, "config"); code != tt.code || !strings.Contains(stdout+stderr, tt.want) {
				t.Errorf("exit code %d, want %d and %q: %s%s", code, tt.code, tt.want, stdout, stderr)
			}
		})
	}
}

// A deployed configuration that cannot be read stops the commands that would use it.
func TestConfigUnread(t *testing.T) {
	for name, tt := range map[string]struct{ template, want string }{
		"refused":         {"AccessDenied", "cannot be read: needs cloudformation:GetTemplate"},
		"an older stack":  {`{"Resources":{}}`, "deploy again"},
		"a newer schema":  {`{"Metadata":{"relight.schema":"2"}}`, "schema 2"},
		"no JSON":         {`{"Metadata":`, "not JSON"},
		"out of bounds":   {`{"Metadata":{"relight.schema":"1","relight:sweepMinutes":"1"}}`, "sweepMinutes 1"},
		"not a text":      {`{"Metadata":{"relight.schema":"1","relight:sweepMinutes":15}}`, "relight:sweepMinutes is not a text"},
		"another prefix":  {`{"Metadata":{"relight.schema":"1","relight:prefix":"\"acme\""}}`, "prefix acme"},
		"another's value": {`{"Metadata":{"relight.schema":"1","relight:modes.flowlogs":"\"none\""}}`, "flowlogs"},
	} {
		t.Run(name, func(t *testing.T) {
			fakeAWS(t, tt.template)
			local(t, `{}`)
			for _, args := range [][]string{{"config"}, {"plan"}, {"apply", "--yes"}, {"replay", "event.json"}} {
				code, stdout, stderr := relight(t, args...)
				if code != exitError || stdout != "" || !strings.Contains(stderr, tt.want) || !strings.Contains(stderr, "cannot be read") {
					t.Errorf("%v: exit code %d, want %q: %s%s", args, code, tt.want, stdout, stderr)
				}
			}
		})
	}
	fakeAWS(t, "")
	local(t, `{}`)
	if code, _, stderr := relight(t, "config"); code != exitError || !strings.Contains(stderr, "relight is not deployed: there is no stack named relight in eu-west-1") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}

// The first line on a terminal says which configuration is used.
func TestConfigIsAnnounced(t *testing.T) {
	deployed := templateOf(t, `{"controls":{"root-usage":{"threshold":5}}}`)
	const seven, five, missing = `{"controls":{"root-usage":{"threshold":7}},"sweepMinutes":30}`, `{"controls":{"root-usage":{"threshold":5}}}`, ""
	for name, tt := range map[string]struct {
		template, local string
		given, terminal bool
		threshold       float64 // that is used
		want            string
	}{
		"deployed":               {deployed, five, false, true, 5, "configuration: the deployed one, which is that of the local file\n"},
		"deployed and different": {deployed, seven, false, true, 5, "configuration: the deployed one; the local file differs in 2 values: see relight config\n"},
		"deployed, in one value": {deployed, `{}`, false, true, 5, "configuration: the deployed one; the local file differs in 1 value: see relight config\n"},
		"deployed, no file":      {deployed, missing, false, true, 5, "configuration: the deployed one\n"},
		"given":                  {deployed, seven, true, true, 7, "configuration: cdk.json\n"},
		"not deployed":           {"", seven, false, true, 7, "configuration: cdk.json\n"},
		"nothing":                {"", missing, false, true, 1, "relight: there is no cdk.json here: using the defaults; --config names another file\n"},
		"nothing, no terminal":   {"", missing, false, false, 1, "relight: there is no cdk.json here: using the defaults; --config names another file\n"},
		"no terminal":            {deployed, seven, false, false, 5, ""},
	} {
		t.Run(name, func(t *testing.T) {
			fakeAWS(t, tt.template)
			if tt.local != missing {
				local(t, tt.local)
			}
			f := &flags{config: defaultConfig, configGiven: tt.given, terminal: func(io.Writer) bool { return tt.terminal }}
			acct, err := connect(t.Context(), f)
			if err != nil {
				t.Fatal(err)
			}
			var said bytes.Buffer
			if err := acct.useDeployed(t.Context(), f, &said); err != nil || said.String() != tt.want {
				t.Errorf("%v, says %q, want %q", err, said.String(), tt.want)
			}
			for _, c := range acct.config.Baseline().Controls {
				if c.ID == "root-usage" && c.Threshold != tt.threshold {
					t.Errorf("threshold %v, want %v", c.Threshold, tt.threshold)
				}
			}
		})
	}
}

// What invokes the function says so, compares, and does not stop if it cannot compare.
func TestFunctionConfigIsAnnounced(t *testing.T) {
	const function = "configuration: that of the deployed function relight-backfill"
	for name, tt := range map[string]struct {
		template, local string
		terminal        bool
		want            string
	}{
		"equal":       {templateOf(t, `{}`), `{}`, true, function + ", which is that of the local file\n"},
		"different":   {templateOf(t, `{}`), `{"sweepMinutes":30}`, true, function + "; the local file differs in 1 value: see relight config\n"},
		"refused":     {"AccessDenied", `{}`, true, function + "; not compared with cdk.json: the configuration of the deployed stack relight in eu-west-1 cannot be read"},
		"no file":     {"AccessDenied", "", false, function + "; there is no cdk.json here, so the function has the default name\n"},
		"no terminal": {"AccessDenied", `{}`, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			fakeAWS(t, tt.template)
			if tt.local != "" {
				local(t, tt.local)
			}
			f := &flags{config: defaultConfig, terminal: func(io.Writer) bool { return tt.terminal }}
			acct, err := connect(t.Context(), f)
			if err != nil {
				t.Fatal(err)
			}
			var said bytes.Buffer
			acct.announceDeployed(t.Context(), f, &said)
			if got := said.String(); !strings.HasPrefix(got, tt.want) || tt.want == "" && got != "" || strings.Count(got, "\n") > 1 {
				t.Errorf("says %q, want %q", got, tt.want)
			}
		})
	}
}

// Commands that ask AWS nothing say that they use the defaults. A file that is named has
// to exist.
func TestNoFile(t *testing.T) {
	noAWS(t)
	if code, _, stderr := relight(t, "controls"); code != 0 || !strings.Contains(stderr, "there is no cdk.json here: using the defaults") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	if code, _, stderr := relight(t, "controls", "--config", defaultConfig); code != exitError || !strings.Contains(stderr, "cdk.json") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	if code, _, stderr := relight(t, "controls", "--config", filepath.Join("..", "gone.json")); code != exitError || !strings.Contains(stderr, "gone.json") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	local(t, `{}`)
	if code, _, stderr := relight(t, "controls"); code != 0 || stderr != "" {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}
