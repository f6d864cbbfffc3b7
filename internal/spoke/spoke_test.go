package spoke_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/config"
	"github.com/relight-aws/relight/internal/spoke"
)

var update = flag.Bool("update", false, "rewrite the golden file")

// member is an organisation with a further region that has the fast path, and another
// region that raises the events of IAM.
const member = `{"homeRegion":"eu-west-1","regions":["eu-central-1"],"organization":{"id":"o-a1b2c3d4e5","hubAccount":"111122223333"}}`

// everything returns a configuration with everything that adds to a template, and the
// longest names.
func everything(partition, home, further, keys string) string {
	arn := "arn:" + partition
	return `{
		"prefix": "audit-lights-of-acme", "homeRegion": "` + home + `", "regions": ["` + further + `"],
		"permissionsBoundary": "` + arn + `:iam::111122223333:policy/bounds",
		"pause": {"by": ["` + arn + `:iam::111122223333:role/operator"]},
		"alarms": {"removeMutes": true}, "trail": {"roleArn": "` + arn + `:iam::111122223333:role/` + strings.Repeat("r", 64) + `"},
		"flowLogs": {"trafficType": "ALL", "format": "${version} ${vpc-id} ${action}", "graceSeconds": 900, "exemptByTag": true, "rejectAlarm": {},
			"subnets": {"tags": {"sensitive": "yes"}, "destination": {"arn": "` + arn + `:s3:::flows-{region}/subnets"}},
			"networkInterfaces": {"ids": ["eni-0a1b2c3d4e5f60042"], "destination": {"arn": "` + arn + `:firehose:{region}:444455556666:deliverystream/flows",
				"roleArn": "` + arn + `:iam::111122223333:role/flows", "crossAccountRoleArn": "` + arn + `:iam::444455556666:role/flows"}}},
		"kmsKeys": {"` + home + `": "` + arn + `:kms:` + home + `:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"},
		"subscribers": [{"protocol": "email", "endpoint": "security@example.com"}, {"protocol": "sqs", "endpoint": "` + arn + `:sqs:` + home + `:111122223333:oncall"}],
		"lastResort": {"topic": "` + arn + `:sns:` + home + `:444455556666:security"},
		"tags": {"team": "security"},
		"organization": {"id": "o-a1b2c3d4e5", "hubAccount": "111122223333", "roleName": "` + strings.Repeat("s", 64) + `"` + keys + `}
	}`
}

// all are configurations of hubs by a name.
var all = map[string]string{
	"member":   member,
	"alone":    `{"homeRegion":"us-east-1","organization":{"id":"o-a1b2c3d4e5","hubAccount":"111122223333","externalId":"relight/1"}}`,
	"global":   `{"homeRegion":"eu-west-1","regions":["us-east-1"],"organization":{"id":"o-a1b2c3d4e5","hubAccount":"111122223333"}}`,
	"observed": `{"homeRegion":"eu-west-1","modes":{"deliveryroles":"off","trails":"off","guard":"observe"},"organization":{"id":"o-a1b2c3d4e5","hubAccount":"111122223333"}}`,
	"all":      everything("aws", "ap-southeast-1", "ap-northeast-1", `, "externalId": "`+strings.Repeat("x", 200)+`"`),
	"china":    everything("aws-cn", "cn-northwest-1", "cn-north-1", ""),
	"gov":      everything("aws-us-gov", "us-gov-east-1", "us-gov-west-1", ""),
}

func parse(t *testing.T, raw string) config.Config {
	t.Helper()
	c, err := config.Parse([]byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// A read is a template that was read.
type read struct {
	Parameters, Conditions, Outputs map[string]any
	Resources                       map[string]resource
}

type resource struct {
	Type, Condition, DeletionPolicy, UpdateReplacePolicy string
	Properties                                           map[string]any
}

func template(t *testing.T, raw string) (config.Config, read) {
	t.Helper()
	c := parse(t, raw)
	text, err := spoke.Template(c, c.HomeRegion)
	if err != nil {
		t.Fatal(err)
	}
	var out read
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	return c, out
}

// The template is the golden one, and the same each time.
func TestGolden(t *testing.T) {
	c := parse(t, member)
	got, err := spoke.Template(c, c.HomeRegion)
	if err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/spoke.template.json"
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if again, _ := spoke.Template(c, c.HomeRegion); !bytes.Equal(got, again) {
		t.Error("two templates of one configuration differ")
	}
}

// The text with which the functions compare the role has the statements of the table.
func TestText(t *testing.T) {
	const golden = "../catalog/spokegrants.txt"
	got := catalog.SpokeText()
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s: go test ./internal/spoke -update (-want +got):\n%s", golden, diff)
	}
}

// The template needs nothing of the account: no bootstrap, assets, transforms, custom
// resources or resources of another type than these. It names no partition, and no account
// but the hub and those that the configuration names.
func TestPlain(t *testing.T) {
	types := []string{
		"AWS::Events::Rule", "AWS::IAM::Role", "AWS::KMS::Alias", "AWS::KMS::Key", "AWS::SNS::Topic", "AWS::SNS::TopicPolicy", "AWS::SQS::Queue", "AWS::SQS::QueuePolicy",
	}
	for name, raw := range all {
		c, tpl := template(t, raw)
		text, _ := spoke.Template(c, c.HomeRegion)
		for id, r := range tpl.Resources {
			if !slices.Contains(types, r.Type) {
				t.Errorf("%s: %s is of type %s", name, id, r.Type)
			}
		}
		for _, word := range []string{`"Transform"`, "Fn::Transform", "cdk", "Bootstrap", "Fn::ImportValue", "Lambda::Function"} {
			if bytes.Contains(text, []byte(word)) {
				t.Errorf("%s: the template has %s", name, word)
			}
		}
		if name != "all" && name != "china" && name != "gov" && bytes.Contains(text, []byte("arn:aws")) {
			t.Errorf("%s: the template names a partition", name)
		}
		if n := len(text); n > spoke.BodyBytes {
			t.Errorf("%s: %d bytes", name, n)
		}
	}
}

// What IAM or CloudFormation would refuse is an error here, and so is a configuration
// without an organisation.
func TestRefused(t *testing.T) {
	for raw, want := range map[string]string{
		`{}`: "set organization.id and organization.hubAccount",
		everything("aws-us-gov", "us-gov-east-1", "us-gov-west-1", `, "externalId": "`+strings.Repeat("x", 1224)+`"`):             "use an organization.externalId with at least",
		strings.Replace(everything("aws", "ap-southeast-1", "ap-northeast-1", ""), `"tags": {"team": "security"}`, manyTags(), 1): "bytes, and CloudFormation takes 51200",
		longest(): "characters, and IAM takes 10240",
	} {
		c := parse(t, raw)
		out, err := spoke.Template(c, "ap-southeast-1")
		if err == nil || !strings.Contains(err.Error(), want) || out != nil {
			t.Errorf("%.80s: %d bytes, %v; want %q", raw, len(out), err, want)
		}
	}
}

// manyTags returns as many and as long tags as the configuration takes.
func manyTags() string {
	var tags []string
	for i := range 49 {
		tags = append(tags, fmt.Sprintf(`"%s%02d": "%s"`, strings.Repeat("k", 120), i, strings.Repeat("v", 256)))
	}
	return `"tags": {` + strings.Join(tags, ",") + "}"
}

// longest returns a configuration with log groups of the longest names, and a role whose
// path is longer than IAM's.
func longest() string {
	group := strings.Repeat("g", 512)
	role := "arn:aws:iam::111122223333:role/" + strings.Repeat("p", 2000) + "/trail"
	return `{"prefix":"audit-lights-of-acme","homeRegion":"ap-southeast-1","trail":{"roleArn":"` + role + `"},"trailLogs":{"logGroup":"` + group + `"},"flowLogs":{"logGroup":"` + group + `","rejectAlarm":{}},
		"organization":{"id":"o-a1b2c3d4e5","hubAccount":"111122223333"}}`
}

// Something refers to each parameter and condition of the template.
func TestEverythingIsUsed(t *testing.T) {
	for name, raw := range all {
		_, tpl := template(t, raw)
		used := map[string]bool{}
		var walk func(v any)
		walk = func(v any) {
			switch v := v.(type) {
			case []any:
				for _, e := range v {
					walk(e)
				}
			case map[string]any:
				for key, e := range v {
					switch list, _ := e.([]any); {
					case key == "Ref" || key == "Condition" && fmt.Sprintf("%T", e) == "string":
						used[e.(string)] = true
					case key == "Fn::If":
						used[list[0].(string)] = true
					}
					walk(e)
				}
			}
		}
		for _, r := range tpl.Resources {
			used[r.Condition] = true
			walk(r.Properties)
		}
		walk(tpl.Conditions)
		walk(tpl.Outputs)
		for _, of := range []map[string]any{tpl.Parameters, tpl.Conditions} {
			for id := range of {
				if !used[id] {
					t.Errorf("%s: nothing refers to %s", name, id)
				}
			}
		}
	}
}
