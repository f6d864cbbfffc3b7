package stack_test

import (
	"encoding/json"
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

// statements renders the inline policies of a role's properties, sorted:
// "action,… on resource,… if condition".
func statements(t *testing.T, role map[string]any) []string {
	t.Helper()
	var out []string
	for _, p := range list(role["Policies"]) {
		for _, st := range list(at(p, "PolicyDocument", "Statement")) {
			if at(st, "Effect") != "Allow" || at(st, "NotAction") != nil || at(st, "NotResource") != nil {
				t.Errorf("statement %s, want only Allow, Action and Resource", text(st))
			}
			var conditions []string
			operators, _ := at(st, "Condition").(map[string]any)
			for operator, keys := range operators {
				for key, value := range keys.(map[string]any) {
					conditions = append(conditions, operator+" "+key+" "+text(value))
				}
			}
			out = append(out, line(texts(at(st, "Action")), texts(at(st, "Resource")), conditions))
		}
	}
	slices.Sort(out)
	return out
}

func line(actions, resources, conditions []string) string {
	s := strings.Join(slices.Sorted(slices.Values(actions)), ",") + " on " + strings.Join(slices.Sorted(slices.Values(resources)), ",")
	if len(conditions) > 0 {
		s += " if " + strings.Join(slices.Sorted(slices.Values(conditions)), ",")
	}
	return s
}

// The role of each function allows exactly the grants of the catalog.
func TestGrants(t *testing.T) {
	tests := []struct {
		app           app
		prefix, trail string
	}{
		{defaults(), "relight", "*"},
		{custom(), "acme", "org-trail"},
	}
	for _, tt := range tests {
		s := tt.app[tt.prefix].template
		topic, _ := s.named(t, "AWS::SNS::Topic", "Topic")
		last, _ := s.named(t, "AWS::SNS::Topic", "LastResort")
		key, _ := s.only(t, "AWS::KMS::Key")
		_, async := s.only(t, "AWS::Lambda::EventInvokeConfig")
		for _, f := range catalog.Binaries() {
			name := tt.prefix + "-" + string(f)
			if name == "acme-alarms" || name == "relight-audit" {
				continue // off
			}
			id, fn := s.function(t, name)
			queue := text(at(async.Properties, "DestinationConfig", "OnFailure", "Destination"))
			if f != catalog.Backfill && f != catalog.Auditor {
				queue = arn(s.queue(t, id))
			}
			delivery := text(at(fn.Properties, "Environment", "Variables", catalog.EnvDeliveryRole))
			values := map[string]string{
				catalog.InPartition: "${AWS::Partition}", catalog.InAccount: "${AWS::AccountId}", catalog.InRegion: home,
				catalog.InPrefix: tt.prefix, catalog.InTrailLogGroup: tt.trail, catalog.InTrailRole: "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/*",
				catalog.InDeliveryRole: delivery, catalog.InDeliveryName: strings.TrimSuffix(delivery, ".Arn}") + "}",
				catalog.InTopic: ref(topic), catalog.InLastResort: ref(last), catalog.InKey: arn(key), catalog.InQueue: queue, catalog.InOwnQueue: queue,
				catalog.InScheduleRole: text(at(fn.Properties, "Environment", "Variables", catalog.EnvScheduleRole)),
				catalog.InLogGroup:     "arn:${AWS::Partition}:logs:" + home + ":${AWS::AccountId}:log-group:/aws/lambda/" + name + "-" + text(at(fn.Properties, "Environment", "Variables", catalog.EnvLogs)),
			}
			var want []string
			for _, g := range append(catalog.Grants(f, catalog.KeyForwarders), catalog.RuntimeGrants(f)...) {
				want = append(want, wantLine(g, values))
			}
			role := strings.TrimSuffix(strings.TrimPrefix(text(fn.Properties["Role"]), "${"), ".Arn}")
			if diff := cmp.Diff(apart(want), apart(statements(t, s.Resources[role].Properties))); diff != "" {
				t.Errorf("%s (-catalog +role):\n%s", name, diff)
			}
		}
	}
}

// The functions may use the buckets, streams and roles that the configuration names for
// flow logs, in every region, and no others; none may write a bucket's policy.
func TestFlowLogDestinationGrants(t *testing.T) {
	s := full[0].app()["audit-lights-of-acme"].template
	want := map[string]string{
		"s3:GetBucketPolicy": "arn:aws:s3:::flows-*", "firehose:TagDeliveryStream": "arn:aws:firehose:*:444455556666:deliverystream/flows",
		"logs:CreateLogDelivery": "*", "logs:DeleteLogDelivery": "*", "ec2:DescribeSubnets": "*", "ec2:DescribeNetworkInterfaces": "*",
	}
	for _, f := range []string{"flowlogs", "backfill"} {
		_, fn := s.function(t, "audit-lights-of-acme-"+f)
		role := strings.TrimSuffix(strings.TrimPrefix(text(fn.Properties["Role"]), "${"), ".Arn}")
		lines := apart(statements(t, s.Resources[role].Properties))
		for action, on := range want {
			if !slices.Contains(lines, action+" on "+on) {
				t.Errorf("%s may not %s on %s", f, action, on)
			}
		}
		pass := slices.ContainsFunc(lines, func(l string) bool {
			return l == "iam:PassRole on arn:aws:iam::111122223333:role/flows if StringEquals iam:PassedToService delivery.logs.amazonaws.com"
		})
		create := slices.ContainsFunc(lines, func(l string) bool {
			return strings.HasPrefix(l, "ec2:CreateFlowLogs on ") && strings.Contains(l, ":subnet/*")
		})
		if !pass || !create {
			t.Errorf("%s: %s", f, strings.Join(lines, "\n"))
		}
	}
	for name, r := range s.Resources {
		if r.Type == "AWS::IAM::Role" && strings.Contains(text(r.Properties["Policies"]), "PutBucketPolicy") {
			t.Errorf("%s may write the policy of a bucket", name)
		}
	}
}

// apart returns one line for each action and resource of the lines, each once and none
// that another one allows in every region: which of them share a statement means nothing.
func apart(lines []string) []string {
	var all []string
	for _, l := range lines {
		actions, rest, _ := strings.Cut(l, " on ")
		resources, condition, _ := strings.Cut(rest, " if ")
		for _, a := range strings.Split(actions, ",") {
			for _, r := range strings.Split(resources, ",") {
				all = append(all, strings.TrimSuffix(a+" on "+r+" if "+condition, " if "))
			}
		}
	}
	slices.Sort(all)
	everywhere := slices.Clone(all)
	all = slices.DeleteFunc(all, func(l string) bool {
		wide := strings.Replace(l, ":"+home+":", ":*:", 1)
		return wide != l && !strings.Contains(l, " if ") && slices.Contains(everywhere, wide)
	})
	return slices.Compact(all)
}

// wantLine expands a grant as catalog.Expand does, with its own single-pass
// code.
func wantLine(g catalog.Grant, values map[string]string) string {
	var pairs []string
	for _, k := range slices.Sorted(maps.Keys(values)) {
		pairs = append(pairs, k, values[k])
	}
	fill := strings.NewReplacer(pairs...).Replace
	var resources, conditions []string
	for _, r := range g.Resources {
		resources = append(resources, fill(r))
	}
	for operator, keys := range g.Condition {
		for k, v := range keys {
			conditions = append(conditions, operator+" "+k+" "+fill(v))
		}
	}
	return line(g.Actions, resources, conditions)
}

// No role of any stack has a separate policy, a managed policy, a wildcard
// action or an action that relight must never call.
func TestNever(t *testing.T) {
	for _, a := range []app{defaults(), custom()} {
		for name, s := range a {
			if len(s.of("AWS::IAM::Policy"))+len(s.of("AWS::IAM::ManagedPolicy")) != 0 {
				t.Errorf("%s: permissions outside the roles: %v %v", name, ids(s.of("AWS::IAM::Policy")), ids(s.of("AWS::IAM::ManagedPolicy")))
			}
			for id, r := range s.of("AWS::IAM::Role") {
				if r.Properties["ManagedPolicyArns"] != nil {
					t.Errorf("%s: %s has managed policies", name, id)
				}
				for _, st := range statements(t, r.Properties) {
					actions, _, _ := strings.Cut(st, " on ")
					for _, action := range strings.Split(actions, ",") {
						if strings.Contains(action, "*") || slices.Contains(catalog.Never, action) {
							t.Errorf("%s: %s may %s", name, id, action)
						}
					}
				}
			}
		}
	}
}

// The templates work in any account and partition, so they name neither.
func TestNamesNoPartitionNorAccount(t *testing.T) {
	for _, a := range []app{defaults(), custom()} {
		for name, s := range a {
			raw, err := json.Marshal(s.template)
			if err != nil {
				t.Fatal(err)
			}
			if found := regexp.MustCompile(`arn:aws[^"]*|"[^"]*\b\d{12}\b[^"]*"`).Find(raw); found != nil {
				t.Errorf("%s contains %s", name, found)
			}
		}
	}
}

// Services may assume a role only on behalf of this account. Lambda is the
// exception, because it passes no source when it assumes a role.
func TestTrust(t *testing.T) {
	for _, a := range []app{defaults(), custom()} {
		for _, s := range a {
			for id, r := range s.of("AWS::IAM::Role") {
				trust := at(r.Properties, "AssumeRolePolicyDocument", "Statement", 0)
				service := text(at(trust, "Principal", "Service"))
				account := text(at(trust, "Condition", "StringEquals", "aws:SourceAccount"))
				if service != "lambda.amazonaws.com" && account != "${AWS::AccountId}" {
					t.Errorf("%s trusts %s for account %s", id, service, account)
				}
			}
		}
	}
}

// A configured permissions boundary applies to every role of every stack.
func TestPermissionsBoundary(t *testing.T) {
	for name, s := range american() {
		for id, r := range s.of("AWS::IAM::Role") {
			if got := text(r.Properties["PermissionsBoundary"]); got != boundary {
				t.Errorf("%s: %s has the boundary %s, want %s", name, id, got, boundary)
			}
		}
	}
	for id, r := range defaults()["relight"].of("AWS::IAM::Role") {
		if r.Properties["PermissionsBoundary"] != nil {
			t.Errorf("%s has a boundary although none is configured", id)
		}
	}
}

// The role in the stack is the same as the role that its function restores.
func TestDeliveryRoleIsAsRestored(t *testing.T) {
	c, err := config.Parse(nil)
	if err != nil {
		t.Fatal(err)
	}
	want := plan.DeliveryRoleOf(c.Desired(catalog.Deployment{DeliveryRole: "arn:aws-cn:iam::111122223333:role/x"}))
	for _, r := range defaults()["relight"].of("AWS::IAM::Role") {
		if r.Properties["Description"] != want.Description {
			continue
		}
		if got := plain(r.Properties["AssumeRolePolicyDocument"]); !iampolicy.Same(want.Trust, got) {
			t.Errorf("trust %s, want %s", got, want.Trust)
		}
		if got := plain(at(r.Properties, "Policies", 0, "PolicyDocument")); !iampolicy.Same(want.Policy, got) {
			t.Errorf("policy %s, want %s", got, want.Policy)
		}
		return
	}
	t.Error("no role has the wanted description")
}

// plain renders a policy document and replaces its references with text.
func plain(v any) string {
	var resolve func(v any) any
	resolve = func(v any) any {
		switch v := v.(type) {
		case []any:
			out := make([]any, len(v))
			for i, e := range v {
				out[i] = resolve(e)
			}
			return out
		case map[string]any:
			if v["Fn::Join"] != nil || v["Ref"] != nil {
				return text(v)
			}
			out := map[string]any{}
			for k, e := range v {
				out[k] = resolve(e)
			}
			return out
		}
		return v
	}
	raw, err := json.Marshal(resolve(v))
	if err != nil {
		panic(err)
	}
	return strings.NewReplacer("${AWS::Partition}", "aws-cn", "${AWS::AccountId}", "111122223333").Replace(string(raw))
}

func TestDeliveryRole(t *testing.T) {
	s := custom()["acme"].template
	for id, r := range s.of("AWS::IAM::Role") {
		trust := at(r.Properties, "AssumeRolePolicyDocument", "Statement", 0)
		if at(trust, "Principal", "Service") != "vpc-flow-logs.amazonaws.com" {
			continue
		}
		want := "arn:${AWS::Partition}:ec2:*:${AWS::AccountId}:vpc-flow-log/*"
		if got := text(at(trust, "Condition", "ArnLike", "aws:SourceArn")); got != want {
			t.Errorf("%s trusts %s, want %s", id, got, want)
		}
		group := "arn:${AWS::Partition}:logs:*:${AWS::AccountId}:log-group:acme-flow-logs"
		permissions := []string{
			"logs:CreateLogStream,logs:DescribeLogStreams,logs:PutLogEvents on " + group + "," + group + ":*",
			"logs:DescribeLogGroups on *",
		}
		if diff := cmp.Diff(permissions, statements(t, r.Properties)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		return
	}
	t.Error("there is no delivery role for flow logs")
}
