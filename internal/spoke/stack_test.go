package spoke_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/config"
	"github.com/relight-aws/relight/internal/iampolicy"
	"github.com/relight-aws/relight/internal/plan"
)

// guarded is the account that gets the template in these tests.
const guarded = "444455556666"

// A stack is what CloudFormation makes of a template in one region.
type stack struct {
	region    string
	partition string
	params    map[string]string
	of        read
}

// in returns the stack of a region, with these parameters beside the defaults.
func in(tpl read, region string, params map[string]string) stack {
	p, _ := catalog.PartitionOf(region)
	s := stack{region, p.ID, map[string]string{}, tpl}
	for id, of := range tpl.Parameters {
		s.params[id] = of.(map[string]any)["Default"].(string)
	}
	maps.Copy(s.params, params)
	return s
}

// resources returns the resources that the stack has, with every function resolved.
func (s stack) resources() map[string]resource {
	out := map[string]resource{}
	for id, r := range s.of.Resources {
		if r.Condition == "" || s.holds(r.Condition) {
			r.Properties = s.resolve(r.Properties).(map[string]any)
			out[id] = r
		}
	}
	return out
}

func (s stack) holds(condition string) bool { return s.truth(s.of.Conditions[condition]) }

func (s stack) truth(v any) bool {
	for f, args := range v.(map[string]any) {
		if f == "Condition" {
			return s.holds(args.(string))
		}
		list := args.([]any)
		switch f {
		case "Fn::Equals":
			return s.resolve(list[0]) == s.resolve(list[1])
		case "Fn::Not":
			return !s.truth(list[0])
		case "Fn::And":
			return !slices.ContainsFunc(list, func(v any) bool { return !s.truth(v) })
		case "Fn::Or":
			return slices.ContainsFunc(list, s.truth)
		}
	}
	panic(fmt.Sprint("no condition: ", v))
}

type noValue struct{}

func (s stack) resolve(v any) any {
	switch v := v.(type) {
	case []any:
		out := []any{}
		for _, e := range v {
			if e := s.resolve(e); e != (noValue{}) {
				out = append(out, e)
			}
		}
		return out
	case map[string]any:
		if name, is := v["Ref"].(string); is {
			return s.ref(name)
		}
		if at, is := v["Fn::GetAtt"].([]any); is {
			return s.attribute(at[0].(string), at[1].(string))
		}
		if text, is := v["Fn::Sub"].(string); is {
			return strings.NewReplacer("${AWS::Partition}", s.partition, "${AWS::AccountId}", guarded, "${AWS::Region}", s.region).Replace(text)
		}
		if choice, is := v["Fn::If"].([]any); is {
			if s.holds(choice[0].(string)) {
				return s.resolve(choice[1])
			}
			return s.resolve(choice[2])
		}
		out := map[string]any{}
		for k, e := range v {
			if e := s.resolve(e); e != (noValue{}) {
				out[k] = e
			}
		}
		return out
	}
	return v
}

func (s stack) ref(name string) any {
	switch name {
	case "AWS::Region":
		return s.region
	case "AWS::AccountId":
		return guarded
	case "AWS::NoValue":
		return noValue{}
	}
	if value, is := s.params[name]; is {
		return value
	}
	return s.attribute(name, "Arn")
}

// attribute returns the ARN of a resource, the only attribute that the template uses.
func (s stack) attribute(id, name string) string {
	r, there := s.of.Resources[id]
	if !there || name != "Arn" {
		panic(id + " has no " + name)
	}
	text := func(key string) string { return s.resolve(r.Properties[key]).(string) }
	service, rest := "kms", "key/"+id
	at := s.region
	switch r.Type {
	case "AWS::IAM::Role":
		service, at, rest = "iam", "", "role/"+text("RoleName")
	case "AWS::SQS::Queue":
		service, rest = "sqs", text("QueueName")
	case "AWS::SNS::Topic":
		service, rest = "sns", text("TopicName")
	}
	return "arn:" + s.partition + ":" + service + ":" + at + ":" + guarded + ":" + rest
}

// owns are the parameters of an account that owns a trail.
var owns = map[string]string{"OwnsTrail": "yes"}

// What is global, and what belongs to one account, is in the home region alone. The topic
// is only in an account that owns a trail. Rules and what they need are in every region.
// What guarded resources lean on outlives the stack, and a stack that comes after it
// leaves that to it.
func TestResources(t *testing.T) {
	_, tpl := template(t, member)
	everywhere := []string{"ForwardRole", "Undelivered", "UndeliveredPolicy"}
	topic := []string{"Topic", "TopicKey", "TopicKeyAlias", "TopicPolicy"}
	kept := map[string]string{"Kept": "yes"}
	for _, tt := range []struct {
		region string
		params map[string]string
		want   []string
	}{
		{"eu-west-1", nil, []string{"Role", "DeliveryRole"}},
		{"eu-west-1", kept, []string{"Role"}},
		{"eu-west-1", owns, append([]string{"Role", "DeliveryRole"}, topic...)},
		{"eu-west-1", map[string]string{"OwnsTrail": "yes", "Kept": "yes"}, []string{"Role"}},
		{"eu-central-1", owns, nil},
		{"us-east-1", owns, nil},
	} {
		var got []string
		for id, r := range in(tpl, tt.region, tt.params).resources() {
			if r.Type != "AWS::Events::Rule" {
				got = append(got, id)
			}
			leaned := slices.Contains(append(topic, "DeliveryRole"), id)
			if outlives := r.DeletionPolicy == "Retain" && r.UpdateReplacePolicy == "Retain"; outlives != leaned {
				t.Errorf("%s outlives the stack: %t, want %t", id, outlives, leaned)
			}
		}
		slices.Sort(got)
		want := slices.Sorted(slices.Values(append(tt.want, everywhere...)))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s %v (-want +got):\n%s", tt.region, tt.params, diff)
		}
	}
}

// statements renders the statements of a role's policies: one line for each action and
// resource, with the condition.
func statements(t *testing.T, role resource) (lines []string) {
	t.Helper()
	for _, p := range role.Properties["Policies"].([]any) {
		for _, st := range p.(map[string]any)["PolicyDocument"].(map[string]any)["Statement"].([]any) {
			st := st.(map[string]any)
			if st["Effect"] != "Allow" || st["NotAction"] != nil || st["NotResource"] != nil {
				t.Errorf("statement %v, want only Allow, Action and Resource", st)
			}
			condition := ""
			for operator, keys := range object(st["Condition"]) {
				for key, value := range object(keys) {
					condition += fmt.Sprintf(" if %s %s %s", operator, key, value)
				}
			}
			for _, action := range list(st["Action"]) {
				for _, on := range list(st["Resource"]) {
					lines = append(lines, action+" on "+on+condition)
				}
			}
		}
	}
	return lines
}

func object(v any) map[string]any {
	o, _ := v.(map[string]any)
	return o
}

func list(v any) (texts []string) {
	if one, alone := v.(string); alone {
		return []string{one}
	}
	for _, e := range v.([]any) {
		texts = append(texts, e.(string))
	}
	return texts
}

// apart returns each line once, and none that another one allows with a wildcard.
func apart(lines []string) []string {
	all := slices.Compact(slices.Sorted(slices.Values(lines)))
	return slices.DeleteFunc(slices.Clone(all), func(l string) bool {
		action, _, _ := strings.Cut(l, " on ")
		return !strings.Contains(l, " if ") && slices.ContainsFunc(all, func(wide string) bool {
			return wide != l && strings.HasPrefix(wide, action+" on ") && !strings.Contains(wide, " if ") &&
				regexp.MustCompile("^"+strings.ReplaceAll(regexp.QuoteMeta(wide), `\*`, ".*")+"$").MatchString(l)
		})
	})
}

// granted returns the lines of a grant in the guarded account.
func granted(c config.Config, g catalog.Grant) (lines []string) {
	home, b := c.HomeRegion, c.Baseline()
	p, _ := catalog.PartitionOf(home)
	arn := "arn:" + p.ID + ":"
	role := arn + "iam::" + guarded + ":role/*"
	if c.Trail.RoleARN != "" {
		role = strings.Replace(c.Trail.RoleARN, "111122223333", guarded, 1)
	}
	group := c.TrailLogs.LogGroup
	if group == "" {
		group = "*"
	}
	fill := strings.NewReplacer(
		catalog.InPartition, p.ID, catalog.InAccount, guarded, catalog.InRegion, home, catalog.InPrefix, c.Prefix,
		catalog.InTrailLogGroup, group, catalog.InTrailRole, role, catalog.InFlowLogGroup, c.FlowLogs.LogGroup,
		catalog.InSpokeRole, b.Organization.Role, catalog.InDeliveryRole, arn+"iam::"+guarded+":role/"+c.Prefix+"-delivery", catalog.InDeliveryName, c.Prefix+"-delivery",
		catalog.InTopic, arn+"sns:"+home+":"+guarded+":"+c.Prefix+"-alarms", catalog.InKey, arn+"kms:"+home+":"+guarded+":key/TopicKey",
	).Replace
	condition := ""
	for operator, keys := range g.Condition {
		for key, value := range keys {
			condition += fmt.Sprintf(" if %s %s %s", operator, key, fill(value))
		}
	}
	for _, r := range g.Resources {
		resources := []string{fill(r)}
		if strings.HasPrefix(r, "{") {
			resources = b.FlowLogResources(r)
		}
		for _, on := range resources {
			for _, action := range g.Actions {
				lines = append(lines, action+" on "+strings.Replace(on, ":111122223333:", ":"+guarded+":", 1)+condition)
			}
		}
	}
	return lines
}

// The role of a guarded account that owns a trail may do exactly what the functions may do
// in an account, without what is about the hub's own things, and what the table says it may do
// alone. The role of another account
// lacks what only the owner of a trail needs. What a function may do in the hub and not
// in a guarded account has a reason in the table.
func TestRoleIsTheUnion(t *testing.T) {
	for name, raw := range all {
		c, tpl := template(t, raw)
		var want, ofOwner []string
		for _, f := range catalog.Functions() {
			for _, g := range catalog.Grants(f, append(c.GrantKeys(c.HomeRegion), catalog.KeyForwarders)...) {
				if g.Hub != "" {
					continue
				}
				g.Resources = slices.DeleteFunc(slices.Clone(g.Resources), func(r string) bool { return r == catalog.InLastResort })
				lines := granted(c, g)
				if writesIAM(g.Actions[0]) && g.Resources[0] == catalog.InDeliveryRole {
					for i := range lines {
						lines[i] += " if StringEquals aws:PrincipalTag/relight-function deliveryroles"
					}
				}
				want = append(want, lines...)
				if f != catalog.Backfill && catalog.Kind(f).OfOwner() {
					ofOwner = append(ofOwner, lines...)
				}
			}
		}
		for _, g := range catalog.OnlyInSpokes() {
			want = append(want, granted(c, g)...)
		}
		got := statements(t, in(tpl, c.HomeRegion, owns).resources()["Role"])
		if diff := cmp.Diff(apart(want), apart(got)); diff != "" {
			t.Errorf("%s (-functions +role):\n%s", name, diff)
		}
		less := statements(t, in(tpl, c.HomeRegion, nil).resources()["Role"])
		for _, l := range less {
			if !slices.Contains(got, l) {
				t.Errorf("%s: an account without a trail allows %s", name, l)
			}
		}
		for _, l := range got {
			if !slices.Contains(less, l) && !slices.Contains(ofOwner, l) {
				t.Errorf("%s: an account without a trail does not allow %s", name, l)
			}
		}
		for _, action := range []string{
			"cloudtrail:CreateTrail", "cloudtrail:UpdateTrail", "cloudtrail:PutEventSelectors", "cloudtrail:StartLogging",
			"sns:CreateTopic", "sns:SetTopicAttributes", "cloudwatch:GetMetricData", "kms:EnableKey",
		} {
			if slices.ContainsFunc(less, func(l string) bool { return strings.HasPrefix(l, action+" on ") }) {
				t.Errorf("%s: an account without a trail allows %s", name, action)
			}
		}
	}
}

// writesIAM reports whether an action writes IAM. PassRole writes nothing.
func writesIAM(action string) bool {
	verb, iam := strings.CutPrefix(action, "iam:")
	return iam && !strings.HasPrefix(verb, "Get") && !strings.HasPrefix(verb, "List") && verb != "PassRole"
}

// No role of the template writes IAM but on the delivery role, and there only in a session
// of the function that restores it. The one exception is checked inside CreateFlowLogs to a
// stream: the role of AWS's own that delivers there. No role has an action that relight
// must never call, a wildcard in an action, or a managed policy.
func TestIAMWrites(t *testing.T) {
	for name, raw := range all {
		c, tpl := template(t, raw)
		p, _ := catalog.PartitionOf(c.HomeRegion)
		delivery := "arn:" + p.ID + ":iam::" + guarded + ":role/" + c.Prefix + "-delivery"
		linked := "arn:" + p.ID + ":iam::" + guarded + ":role/aws-service-role/delivery.logs.amazonaws.com/*"
		n := 0
		for id, r := range in(tpl, c.HomeRegion, owns).resources() {
			if r.Type != "AWS::IAM::Role" {
				continue
			}
			if r.Properties["ManagedPolicyArns"] != nil {
				t.Errorf("%s: %s has managed policies", name, id)
			}
			for _, l := range statements(t, r) {
				action, rest, _ := strings.Cut(l, " on ")
				if strings.Contains(action, "*") || slices.Contains(catalog.Never, action) {
					t.Errorf("%s: %s may %s", name, id, action)
				}
				toStream := action == "iam:CreateServiceLinkedRole" && rest == linked && c.Baseline().Has(catalog.KeyToStream)
				if !writesIAM(action) || toStream {
					continue
				}
				if n++; id != "Role" || rest != delivery+" if StringEquals aws:PrincipalTag/relight-function deliveryroles" {
					t.Errorf("%s: %s may %s", name, id, l)
				}
			}
		}
		if n != 8 {
			t.Errorf("%s: %d writes of IAM, want those 8 that restore the delivery role", name, n)
		}
	}
}

// The role may do nothing to what only the hub has.
func TestNothingOfTheHub(t *testing.T) {
	for name, raw := range all {
		c, tpl := template(t, raw)
		for _, l := range statements(t, in(tpl, c.HomeRegion, owns).resources()["Role"]) {
			for _, hub := range []string{
				"ssm:", "scheduler:", "sns:Publish", "events:PutEvents", "lambda:Invoke", "lambda:Update", "lambda:Create", ":function:" + c.Prefix, "/aws/lambda/",
				":rule/" + c.Prefix + "/", ":schedule/", ":stack/" + c.Prefix + "/", ":" + c.Prefix + "-* if", "111122223333",
			} {
				if strings.Contains(l, hub) {
					t.Errorf("%s: %s", name, l)
				}
			}
		}
	}
}

// Only the functions' roles in the hub may assume the role, as members of the organisation
// that name the external ID, and only with relight's session tags. Only the function of the
// delivery role may call itself that.
func TestTrust(t *testing.T) {
	for name, raw := range all {
		c, tpl := template(t, raw)
		p, _ := catalog.PartitionOf(c.HomeRegion)
		role := in(tpl, c.HomeRegion, nil).resources()["Role"]
		var functions []any
		for _, f := range catalog.Functions() {
			if f == catalog.Backfill || c.Mode(catalog.Kind(f)) != catalog.Off {
				functions = append(functions, "arn:"+p.ID+":iam::111122223333:role/"+c.Prefix+"-"+string(f))
			}
		}
		always := map[string]any{"aws:PrincipalOrgID": "o-a1b2c3d4e5"}
		asked := maps.Clone(always)
		if id := c.Organization.ExternalID; id != "" {
			asked["sts:ExternalId"] = id
		}
		keys := map[string]any{"aws:TagKeys": []any{"relight-function", "relight-run"}}
		want := []any{
			map[string]any{"sts:AssumeRole": map[string]any{"ArnEquals": map[string]any{"aws:PrincipalArn": functions}, "StringEquals": asked}},
			map[string]any{"sts:TagSession": map[string]any{"ForAllValues:StringEquals": keys, "StringEquals": always, "StringNotEquals": map[string]any{"aws:RequestTag/relight-function": "deliveryroles"}}},
			map[string]any{"sts:TagSession": map[string]any{"ForAllValues:StringEquals": keys, "StringEquals": always, "ArnEquals": map[string]any{"aws:PrincipalArn": "arn:" + p.ID + ":iam::111122223333:role/" + c.Prefix + "-deliveryroles"}}},
		}
		if c.Mode(catalog.DeliveryRoles) == catalog.Off {
			want = want[:2]
		}
		var got []any
		for _, st := range object(role.Properties["AssumeRolePolicyDocument"])["Statement"].([]any) {
			st := object(st)
			if principal := object(st["Principal"])["AWS"]; st["Effect"] != "Allow" || principal != "arn:"+p.ID+":iam::111122223333:root" {
				t.Errorf("%s: %v", name, st)
			}
			got = append(got, map[string]any{st["Action"].(string): st["Condition"]})
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		wantName := c.Baseline().Organization.Role
		if role.Properties["RoleName"] != wantName {
			t.Errorf("%s: the role is named %v, want %s", name, role.Properties["RoleName"], wantName)
		}
	}
}

// The delivery role is the same as the role that its function restores there, and what the
// rules of a region need is as the guard restores it.
func TestAsRestored(t *testing.T) {
	for name, raw := range all {
		c, tpl := template(t, raw)
		p, _ := catalog.PartitionOf(c.HomeRegion)
		want := c.Desired(catalog.Deployment{Account: "111122223333", HomeRegion: c.HomeRegion}).Guarded(guarded)
		if arn := "arn:" + p.ID + ":iam::" + guarded + ":role/" + c.Prefix + "-delivery"; want.DeliveryRole != arn {
			t.Errorf("%s: delivery role %s, want %s", name, want.DeliveryRole, arn)
		}
		role, made := plan.DeliveryRoleOf(want), in(tpl, c.HomeRegion, nil).resources()["DeliveryRole"].Properties
		tags := map[string]string{}
		for _, tag := range made["Tags"].([]any) {
			tags[object(tag)["Key"].(string)] = object(tag)["Value"].(string)
		}
		boundary, _ := made["PermissionsBoundary"].(string)
		policy := object(made["Policies"].([]any)[0])
		if made["RoleName"] != role.Name || made["Description"] != role.Description || boundary != role.Boundary || !maps.Equal(tags, role.Tags) || policy["PolicyName"] != catalog.DeliveryPolicy {
			t.Errorf("%s: %v, want %+v", name, made, role)
		}
		same(t, name+": trust", role.Trust, made["AssumeRolePolicyDocument"])
		same(t, name+": policy", role.Policy, policy["PolicyDocument"])

		for _, region := range c.Baseline().SpokeRegions(c.HomeRegion) {
			got := in(tpl, region, nil).resources()
			q := catalog.Queue{Name: c.Baseline().Name(catalog.Undelivered), Buses: []string{""}, Forwarder: region}
			queue := plan.WantedQueue(want, q)
			made := got["Undelivered"].Properties
			if made["QueueName"] != q.Name || fmt.Sprint(made["MessageRetentionPeriod"]) != "1.2096e+06" || queue["MessageRetentionPeriod"] != "1209600" || made["SqsManagedSseEnabled"] != true {
				t.Errorf("%s: queue %v, want %v", name, made, queue)
			}
			same(t, name+": queue", queue["Policy"], got["UndeliveredPolicy"].Properties["PolicyDocument"])
			if forward := got["ForwardRole"].Properties["RoleName"]; forward != want.ForwardRole(region) {
				t.Errorf("%s: role %v, want %s", name, forward, want.ForwardRole(region))
			}
		}
	}
}

// The rules and roles of a stack are as the guard wants them, in each region and in an account that owns
// a trail too, and any change of a role is a difference.
func TestAsCompared(t *testing.T) {
	for name, raw := range all {
		c, tpl := template(t, raw)
		want := c.Desired(catalog.Deployment{Account: "111122223333", HomeRegion: c.HomeRegion}).Guarded(guarded)
		wanted := plan.SpokeRoles(want)
		for _, region := range c.Baseline().SpokeRegions(c.HomeRegion) {
			for _, params := range []map[string]string{nil, owns} {
				owner := params != nil && region == c.HomeRegion
				rules := map[string]any{}
				for _, r := range want.SpokeRules(c.HomeRegion, region, owner) {
					var pattern any
					if err := json.Unmarshal([]byte(r.Pattern.String()), &pattern); err != nil {
						t.Fatal(err)
					}
					rules[r.Name] = pattern
				}
				if diff := cmp.Diff(rules, patterns(in(tpl, region, params).resources())); diff != "" {
					t.Errorf("%s in %s, owner %t: rules (-guard +template):\n%s", name, region, owner, diff)
				}
				for id, r := range in(tpl, region, params).resources() {
					spec, compared := wanted[fmt.Sprint(r.Properties["RoleName"])]
					if compared != (id == "Role" || id == "ForwardRole") {
						t.Errorf("%s: %s is compared: %t", name, id, compared)
					}
					if !compared {
						continue
					}
					seen := func() plan.SpokeRoleState { return observed(t, r, spec.ARN) }
					if drift := plan.SpokeRoleDrift(spec, seen(), owner); drift != "" || spec.Region != region {
						t.Errorf("%s: %s in %s, owner %t: %s (%s)", name, id, region, owner, drift, spec.Region)
					}
					for what, change := range map[string]func(*plan.SpokeRoleState){
						"description":   func(s *plan.SpokeRoleState) { s.Description += "." },
						"trust policy":  func(s *plan.SpokeRoleState) { s.Trust = strings.Replace(s.Trust, "Allow", "Deny", 1) },
						"boundary":      func(s *plan.SpokeRoleState) { s.Boundary += "x" },
						"ad hoc":        func(s *plan.SpokeRoleState) { s.Inline["ad hoc"] = "{}" },
						"theirs":        func(s *plan.SpokeRoleState) { s.Attached = []string{"arn:aws:iam::aws:policy/theirs"} },
						"/elsewhere":    func(s *plan.SpokeRoleState) { s.ARN = strings.Replace(s.ARN, ":role/", ":role/elsewhere/", 1) },
						"its policy":    func(s *plan.SpokeRoleState) { narrow(s.Inline) },
						"it lacks":      func(s *plan.SpokeRoleState) { clear(s.Inline) },
						"of no account": func(s *plan.SpokeRoleState) { s.Inline["of no account"] = "" },
					} {
						s := seen()
						change(&s)
						if drift := plan.SpokeRoleDrift(spec, s, owner); !strings.Contains(drift, what) {
							t.Errorf("%s: %s in %s: drift %q, want %q", name, id, region, drift, what)
						}
					}
				}
			}
		}
	}
}

// narrow takes the first action from each policy.
func narrow(policies map[string]string) {
	for name, document := range policies {
		policies[name] = regexp.MustCompile(`"Action":(\["[^"]*",?|"[^"]*")`).ReplaceAllStringFunc(document, func(action string) string {
			if strings.HasPrefix(action, `"Action":[`) {
				return `"Action":["none:None",`
			}
			return `"Action":"none:None"`
		})
		policies[name] = strings.ReplaceAll(policies[name], `,]`, `]`)
	}
}

// observed returns a role of a stack as it is read.
func observed(t *testing.T, r resource, arn string) plan.SpokeRoleState {
	t.Helper()
	text := func(v any) string {
		raw, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	got := plan.SpokeRoleState{ARN: arn, Whole: true, Trust: text(r.Properties["AssumeRolePolicyDocument"]), Inline: map[string]string{}}
	got.Description, _ = r.Properties["Description"].(string)
	got.Boundary, _ = r.Properties["PermissionsBoundary"].(string)
	for _, p := range r.Properties["Policies"].([]any) {
		got.Inline[object(p)["PolicyName"].(string)] = text(object(p)["PolicyDocument"])
	}
	return got
}

func same(t *testing.T, what, want string, got any) {
	t.Helper()
	raw, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	if !iampolicy.Same(want, string(raw)) {
		t.Errorf("%s: %s, want %s", what, raw, want)
	}
}

// The topic admits the alarms of its account, as the hub's does, and so does its key. The
// subscribers are those of the configuration.
func TestTopic(t *testing.T) {
	c, tpl := template(t, all["all"])
	got := in(tpl, c.HomeRegion, owns).resources()
	const arn = "arn:aws:sns:ap-southeast-1:" + guarded + ":audit-lights-of-acme-alarms"
	if topic := got["Topic"].Properties; topic["KmsMasterKeyId"] != "arn:aws:kms:ap-southeast-1:"+guarded+":key/TopicKey" || topic["TopicName"] != "audit-lights-of-acme-alarms" || len(topic["Subscription"].([]any)) != 2 {
		t.Errorf("%v", topic)
	}
	if alias := got["TopicKeyAlias"].Properties; alias["AliasName"] != "alias/audit-lights-of-acme-alarms" {
		t.Errorf("%v", alias)
	}
	same(t, "topic", `{"Version":"2012-10-17","Statement":[
		{"Sid":"AllowPublishThroughSSLOnly","Effect":"Deny","Principal":{"AWS":"*"},"Action":"sns:Publish","Resource":"`+arn+`","Condition":{"Bool":{"aws:SecureTransport":"false"}}},
		{"Sid":"AllowAlarmsOfThisAccount","Effect":"Allow","Principal":{"Service":"cloudwatch.amazonaws.com"},"Action":"sns:Publish","Resource":"`+arn+`",
			"Condition":{"StringEquals":{"aws:SourceAccount":"`+guarded+`"},"ArnLike":{"aws:SourceArn":"arn:aws:cloudwatch:ap-southeast-1:`+guarded+`:alarm:*"}}}
	]}`, got["TopicPolicy"].Properties["PolicyDocument"])
	same(t, "key", `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::`+guarded+`:root"},"Action":"kms:*","Resource":"*"},
		{"Effect":"Allow","Principal":{"Service":"cloudwatch.amazonaws.com"},"Action":["kms:Decrypt","kms:GenerateDataKey*"],"Resource":"*",
			"Condition":{"StringLike":{"kms:EncryptionContext:aws:sns:topicArn":"arn:aws:sns:ap-southeast-1:`+guarded+`:*"}}}
	]}`, got["TopicKey"].Properties["KeyPolicy"])
}

// Every role of a template has the configured boundary, of the guarded account.
func TestBoundary(t *testing.T) {
	for name, raw := range all {
		c, tpl := template(t, raw)
		want := strings.Replace(c.PermissionsBoundary, "111122223333", guarded, 1)
		for id, r := range in(tpl, c.HomeRegion, owns).resources() {
			if got, _ := r.Properties["PermissionsBoundary"].(string); r.Type == "AWS::IAM::Role" && got != want {
				t.Errorf("%s: %s has the boundary %s, want %s", name, id, got, want)
			}
		}
	}
}
