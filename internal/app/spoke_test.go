package app_test

import (
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"

	"github.com/relight-aws/relight/internal/awstest"
	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/spoke"
)

// A spokeStack is the stack of a guarded account in one region, as CloudFormation makes it.
type spokeStack struct {
	account, region string
	params          map[string]string
	tpl             struct {
		Conditions map[string]any
		Resources  map[string]struct {
			Type, Condition string
			Properties      map[string]any
		}
	}
}

// truth returns whether a condition is met.
func (s *spokeStack) truth(v any) bool {
	if name, is := v.(string); is {
		return s.truth(s.tpl.Conditions[name])
	}
	for f, args := range v.(map[string]any) {
		switch f {
		case "Condition":
			return s.truth(args)
		case "Fn::Equals":
			pair := args.([]any)
			return s.value(pair[0]) == s.value(pair[1])
		case "Fn::Not":
			return !s.truth(args.([]any)[0])
		case "Fn::And":
			return !slices.ContainsFunc(args.([]any), func(v any) bool { return !s.truth(v) })
		case "Fn::Or":
			return slices.ContainsFunc(args.([]any), s.truth)
		}
	}
	panic("no condition")
}

// value returns a value of the template in the stack, nil for AWS::NoValue.
func (s *spokeStack) value(v any) any {
	switch v := v.(type) {
	case []any:
		out := []any{}
		for _, e := range v {
			if e = s.value(e); e != nil {
				out = append(out, e)
			}
		}
		return out
	case map[string]any:
		if text, is := v["Fn::Sub"].(string); is {
			return strings.NewReplacer("${AWS::Partition}", "aws", "${AWS::AccountId}", s.account, "${AWS::Region}", s.region).Replace(text)
		}
		if name, is := v["Ref"].(string); is {
			return map[string]any{"AWS::AccountId": s.account, "AWS::Region": s.region, "OwnsTrail": s.params["OwnsTrail"], "Kept": "no"}[name]
		}
		if at, is := v["Fn::GetAtt"].([]any); is {
			return map[string]string{
				"ForwardRole": "arn:aws:iam::" + s.account + ":role/relight-forward-" + s.region,
				"Undelivered": "arn:aws:sqs:" + s.region + ":" + s.account + ":relight-undelivered",
				"TopicKey":    "arn:aws:kms:" + s.region + ":" + s.account + ":key/1234abcd-12ab-34cd-56ef-1234567890ab",
			}[at[0].(string)]
		}
		if choice, is := v["Fn::If"].([]any); is {
			if s.truth(choice[0]) {
				return s.value(choice[1])
			}
			return s.value(choice[2])
		}
		out := map[string]any{}
		for k, e := range v {
			if e = s.value(e); e != nil {
				out[k] = e
			}
		}
		return out
	}
	return v
}

// makeStack makes the roles, the queue and the rules of the stack of a guarded account.
func (w *world) makeStack(a *awstest.Account, region, ownsTrail string) {
	w.t.Helper()
	s := &spokeStack{account: a.ID, region: region, params: map[string]string{"OwnsTrail": ownsTrail}}
	if err := json.Unmarshal(must(spoke.Template(w.config, home)), &s.tpl); err != nil {
		w.t.Fatal(err)
	}
	text := func(v any) *string { return aws.String(string(must(json.Marshal(v)))) }
	word := func(v any) *string { return aws.String(v.(string)) }
	in, ctx := a.In(region), w.t.Context()
	for _, id := range slices.Sorted(maps.Keys(s.tpl.Resources)) {
		of := s.tpl.Resources[id]
		if of.Condition != "" && !s.truth(of.Condition) {
			continue
		}
		properties := s.value(of.Properties).(map[string]any)
		switch of.Type {
		case "AWS::IAM::Role":
			role := &iam.CreateRoleInput{RoleName: word(properties["RoleName"]), Description: word(properties["Description"]), AssumeRolePolicyDocument: text(properties["AssumeRolePolicyDocument"])}
			for _, tag := range properties["Tags"].([]any) {
				role.Tags = append(role.Tags, iamtypes.Tag{Key: word(tag.(map[string]any)["Key"]), Value: word(tag.(map[string]any)["Value"])})
			}
			must(in.IAM.CreateRole(ctx, role))
			for _, p := range properties["Policies"].([]any) {
				p := p.(map[string]any)
				must(in.IAM.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: role.RoleName, PolicyName: word(p["PolicyName"]), PolicyDocument: text(p["PolicyDocument"])}))
			}
		case "AWS::SQS::Queue":
			policy := s.value(s.tpl.Resources[id+"Policy"].Properties["PolicyDocument"])
			must(in.SQS.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: word(properties["QueueName"]), Attributes: map[string]string{
				"MessageRetentionPeriod": "1209600", "Policy": *text(policy), "SqsManagedSseEnabled": "true",
			}}))
		case "AWS::Events::Rule":
			must(in.EventBridge.PutRule(ctx, &eventbridge.PutRuleInput{
				Name: word(properties["Name"]), Description: word(properties["Description"]), EventPattern: text(properties["EventPattern"]),
			}))
			target := properties["Targets"].([]any)[0].(map[string]any)
			must(in.EventBridge.PutTargets(ctx, &eventbridge.PutTargetsInput{Rule: word(properties["Name"]), Targets: []ebtypes.Target{{
				Id: word(target["Id"]), Arn: word(target["Arn"]), RoleArn: word(target["RoleArn"]),
				DeadLetterConfig: &ebtypes.DeadLetterConfig{Arn: word(target["DeadLetterConfig"].(map[string]any)["Arn"])},
			}}}))
		}
	}
}

// guardedHub returns a healthy hub and an account that it guards, which has stacks in the
// home region and the second one for more than an hour.
func guardedHub(t *testing.T, ownsTrail string) (w *world, guarded *awstest.Account) {
	t.Helper()
	w, guarded, _ = hubOf(t, strings.Replace(hubConfig(""), "{", `{"regions":["`+second+`"],`, 1))
	w.makeStack(guarded, home, ownsTrail)
	w.makeStack(guarded, second, ownsTrail)
	w.now = w.now.Add(2 * time.Hour)
	return w, guarded
}

// checkSpoke checks the guarded account in a region, and returns the findings as people read
// them. It fails the test if a read or a repair failed.
func (w *world) checkSpoke(region string) (findings []string, writes int) {
	w.t.Helper()
	rep := w.app(catalog.Function(catalog.Guard)).CheckSpoke(w.t.Context(), other, region)
	if err := rep.Failures(); err != nil || len(rep.Remaining) > 0 {
		w.t.Errorf("%s: %v, remaining %v", region, err, rep.Remaining)
	}
	for _, f := range rep.Plan.Findings {
		findings = append(findings, string(f.Code)+" "+f.String())
	}
	return findings, len(rep.Outcomes)
}

// rulesOf returns the rules that a guarded account has in a region.
func (w *world) rulesOf(a *awstest.Account, region string) []string {
	w.t.Helper()
	a.PageSize(0)
	var names []string
	for _, r := range must(a.In(region).EventBridge.ListRules(w.t.Context(), &eventbridge.ListRulesInput{NamePrefix: aws.String("relight-")})).Rules {
		names = append(names, *r.Name)
	}
	return names
}

// The stack of a guarded account, as the template makes it, needs nothing in any region,
// whether the account owns a trail or not.
func TestSpokeHealthy(t *testing.T) {
	t.Parallel()
	for _, ownsTrail := range []string{"no", "yes"} {
		w, guarded := guardedHub(t, ownsTrail)
		writes := len(guarded.Writes())
		for _, region := range []string{home, second} {
			if findings, n := w.checkSpoke(region); len(findings) > 0 || n > 0 {
				t.Errorf("%s, owner %s: %v, %d actions", region, ownsTrail, findings, n)
			}
			if rules := w.rulesOf(guarded, region); len(rules) < 5 {
				t.Errorf("%s: rules %v", region, rules)
			}
		}
		if got := guarded.Writes()[writes:]; len(got) > 0 {
			t.Errorf("writes %v", got)
		}
	}
}

// A spokeCut is a way to cut a wire of a guarded account.
type spokeCut struct {
	region  string
	event   string // that says so, if a rule still sends it
	do      func(w *world, a *awstest.Account)
	finding string   // its code; "" if the cut is undone
	says    []string // what the finding says
}

const (
	spokeRule      = "relight-forward-ec2-calls"
	spokeOwnerRule = "relight-forward-cloudtrail-calls"
	spokeForward   = "relight-forward-" + second
)

func (w *world) changeTarget(a *awstest.Account, region, rule string, change func(*ebtypes.Target)) {
	w.t.Helper()
	in := a.In(region).EventBridge
	target := must(in.ListTargetsByRule(w.t.Context(), &eventbridge.ListTargetsByRuleInput{Rule: aws.String(rule)})).Targets[0]
	change(&target)
	must(in.PutTargets(w.t.Context(), &eventbridge.PutTargetsInput{Rule: aws.String(rule), Targets: []ebtypes.Target{target}}))
}

func (w *world) removeRule(a *awstest.Account, region, rule string) {
	w.t.Helper()
	in := a.In(region).EventBridge
	must(in.RemoveTargets(w.t.Context(), &eventbridge.RemoveTargetsInput{Rule: aws.String(rule), Ids: []string{catalog.TargetID}}))
	must(in.DeleteRule(w.t.Context(), &eventbridge.DeleteRuleInput{Name: aws.String(rule)}))
}

func (w *world) changeSpokeQueue(a *awstest.Account, region string, attributes map[string]string) {
	w.t.Helper()
	must(a.In(region).SQS.SetQueueAttributes(w.t.Context(), &sqs.SetQueueAttributesInput{
		QueueUrl: aws.String("https://sqs." + region + ".amazonaws.com/" + other + "/relight-undelivered"), Attributes: attributes,
	}))
}

func (w *world) changePolicy(a *awstest.Account, role, name string, change func(string) string) {
	w.t.Helper()
	is := must(url.QueryUnescape(*must(a.IAM.GetRolePolicy(w.t.Context(), &iam.GetRolePolicyInput{RoleName: aws.String(role), PolicyName: aws.String(name)})).PolicyDocument))
	to := change(is)
	if to == is {
		w.t.Fatalf("the policy %s of %s stays as it is", name, role)
	}
	must(a.IAM.PutRolePolicy(w.t.Context(), &iam.PutRolePolicyInput{RoleName: aws.String(role), PolicyName: aws.String(name), PolicyDocument: aws.String(to)}))
}

// spokeCuts are ways to cut the wires of a guarded account that owns a trail.
func spokeCuts() map[string]spokeCut {
	target := func(region, rule string, change func(*ebtypes.Target)) func(*world, *awstest.Account) {
		return func(w *world, a *awstest.Account) { w.changeTarget(a, region, rule, change) }
	}
	queue := func(attributes map[string]string) func(*world, *awstest.Account) {
		return func(w *world, a *awstest.Account) { w.changeSpokeQueue(a, second, attributes) }
	}
	policy := func(role, name, from, to string) func(*world, *awstest.Account) {
		return func(w *world, a *awstest.Account) {
			w.changePolicy(a, role, name, func(document string) string { return strings.Replace(document, from, to, 1) })
		}
	}
	back := []string{other, "delete-stack-instances", "Kept=yes"}
	return map[string]spokeCut{
		"rule disabled": {region: second, event: "DisableRule.forwarder.json", do: func(w *world, a *awstest.Account) {
			must(a.In(second).EventBridge.DisableRule(w.t.Context(), &eventbridge.DisableRuleInput{Name: aws.String(spokeRule)}))
		}},
		"rule deleted": {region: second, event: "RemoveTargets.forwarder.json", do: func(w *world, a *awstest.Account) {
			w.removeRule(a, second, spokeRule)
		}},
		"rule of the trail deleted": {region: home, do: func(w *world, a *awstest.Account) {
			w.removeRule(a, home, spokeOwnerRule)
		}},
		"rule that hears of rules deleted": {region: home, do: func(w *world, a *awstest.Account) {
			w.removeRule(a, home, "relight-forward-events-calls")
		}},
		"pattern changed": {region: second, event: "DisableRule.forwarder.json", do: func(w *world, a *awstest.Account) {
			must(a.In(second).EventBridge.PutRule(w.t.Context(), &eventbridge.PutRuleInput{Name: aws.String(spokeRule), EventPattern: aws.String(`{"source":["none"]}`)}))
		}},
		"target removed": {region: second, event: "RemoveTargets.forwarder.json", do: func(w *world, a *awstest.Account) {
			must(a.In(second).EventBridge.RemoveTargets(w.t.Context(), &eventbridge.RemoveTargetsInput{Rule: aws.String(spokeRule), Ids: []string{catalog.TargetID}}))
		}},
		"target is the bus of the account": {region: second, event: "RemoveTargets.forwarder.json", do: target(second, spokeRule, func(t *ebtypes.Target) {
			t.Arn = aws.String("arn:aws:events:" + home + ":" + other + ":event-bus/relight")
		})},
		"target is another bus": {region: home, do: target(home, spokeRule, func(t *ebtypes.Target) {
			t.Arn = aws.String("arn:aws:events:" + home + ":" + third + ":event-bus/theirs")
		})},
		"target has another role": {region: second, event: "RemoveTargets.forwarder.json", do: target(second, spokeRule, func(t *ebtypes.Target) {
			t.RoleArn = aws.String("arn:aws:iam::" + other + ":role/theirs")
		})},
		"target without dead letters": {region: second, do: target(second, spokeRule, func(t *ebtypes.Target) { t.DeadLetterConfig = nil })},
		"target blinded":              {region: second, do: target(second, spokeRule, func(t *ebtypes.Target) { t.Input = aws.String(`{}`) })},
		"queue deleted": {
			region: second, event: "SetQueueAttributes.forwarder.json", finding: "spoke-queue-gone", says: append(back, second, "relight-undelivered"),
			do: func(_ *world, a *awstest.Account) {
				a.DeleteQueue("arn:aws:sqs:" + second + ":" + other + ":relight-undelivered")
			},
		},
		"queue policy narrowed": {region: second, event: "SetQueueAttributes.forwarder.json", do: queue(map[string]string{"Policy": ""})},
		"queue forgets":         {region: second, event: "SetQueueAttributes.forwarder.json", do: queue(map[string]string{"MessageRetentionPeriod": "60"})},
		"events undelivered": {
			region: second, finding: "spoke-undelivered", says: []string{other, second, "3 events", "purge-queue"},
			do: func(_ *world, a *awstest.Account) { a.FillQueue(second, "relight-undelivered", 3) },
		},
		"role of the rules narrowed": {
			region: second, finding: "spoke-role-changed", says: append(back, spokeForward, "its policy forward was changed"),
			do: policy(spokeForward, "forward", "events:PutEvents", "events:DescribeRule"),
		},
		"role of the rules to another bus": {
			region: second, finding: "spoke-role-changed", says: append(back, spokeForward, "its policy forward was changed"),
			do: policy(spokeForward, "forward", account, third),
		},
		"role of the rules without its policy": {
			region: second, finding: "spoke-role-changed", says: append(back, spokeForward, "it lacks the policy forward"),
			do: func(w *world, a *awstest.Account) {
				must(a.IAM.DeleteRolePolicy(w.t.Context(), &iam.DeleteRolePolicyInput{RoleName: aws.String(spokeForward), PolicyName: aws.String("forward")}))
			},
		},
		"role of the rules shut": {
			region: second, finding: "spoke-role-changed", says: append(back, spokeForward, "it has the policy \"shut\""),
			do: func(w *world, a *awstest.Account) {
				must(a.IAM.PutRolePolicy(w.t.Context(), &iam.PutRolePolicyInput{
					RoleName: aws.String(spokeForward), PolicyName: aws.String("shut"), PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}`),
				}))
			},
		},
		"role of the rules deleted": {
			region: second, finding: "spoke-role-gone", says: append(back, spokeForward, "send events"),
			do: func(_ *world, a *awstest.Account) { a.RemoveRole("arn:aws:iam::" + other + ":role/" + spokeForward) },
		},
		"role narrowed": {
			region: home, finding: "spoke-role-changed", says: append(back, "relight-spoke", "its policy grants was changed"),
			do: policy("relight-spoke", "grants", `"events:PutRule",`, ""),
		},
		"role widened": {
			region: home, finding: "spoke-role-changed", says: append(back, "relight-spoke", "its policy grants was changed"),
			do: policy("relight-spoke", "grants", `"sqs:SetQueueAttributes"`, `"sqs:SetQueueAttributes","sqs:PurgeQueue"`),
		},
		"role without what the trail needs": {
			region: home, finding: "spoke-role-changed", says: append(back, "relight-spoke", "it lacks the policy trail"),
			do: func(w *world, a *awstest.Account) {
				must(a.IAM.DeleteRolePolicy(w.t.Context(), &iam.DeleteRolePolicyInput{RoleName: aws.String("relight-spoke"), PolicyName: aws.String("trail")}))
			},
		},
		"role with another key": {
			region: home, finding: "spoke-role-changed", says: append(back, "relight-spoke", "its policy trail was changed"),
			do: policy("relight-spoke", "trail", "key/1234abcd-12ab-34cd-56ef-1234567890ab", "key/*"),
		},
		"role with a managed policy": {
			region: home, finding: "spoke-role-changed", says: append(back, "relight-spoke", "policy/shut"),
			do: func(w *world, a *awstest.Account) {
				p := must(a.IAM.CreatePolicy(w.t.Context(), &iam.CreatePolicyInput{PolicyName: aws.String("shut"), PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:*","Resource":"*"}]}`)}))
				must(a.IAM.AttachRolePolicy(w.t.Context(), &iam.AttachRolePolicyInput{RoleName: aws.String("relight-spoke"), PolicyArn: p.Policy.Arn}))
			},
		},
		"role trusts another account too": {
			region: home, finding: "spoke-role-changed", says: append(back, "relight-spoke", "its trust policy was changed"),
			do: func(w *world, a *awstest.Account) {
				open := strings.Replace(trustOf(w, a), `"Statement":[`, `"Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"arn:aws:iam::`+third+`:root"}},`, 1)
				must(a.IAM.UpdateAssumeRolePolicy(w.t.Context(), &iam.UpdateAssumeRolePolicyInput{RoleName: aws.String("relight-spoke"), PolicyDocument: aws.String(open)}))
			},
		},
		"nothing left in a region": {
			region: second, finding: "spoke-forwarder-gone", says: append(back, second, "organization.excludeAccounts"),
			do: func(w *world, a *awstest.Account) {
				for _, rule := range w.rulesOf(a, second) {
					w.removeRule(a, second, rule)
				}
				a.DeleteQueue("arn:aws:sqs:" + second + ":" + other + ":relight-undelivered")
				a.RemoveRole("arn:aws:iam::" + other + ":role/" + spokeForward)
			},
		},
	}
}

// settled returns the state of an account without what relight may write in another way than
// CloudFormation: the order of a pattern's members, and the least size of messages.
func settled(t *testing.T, state map[string]string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for key, text := range state {
		var of map[string]any
		if json.Unmarshal([]byte(text), &of) == nil {
			for _, document := range []string{"pattern", "Policy"} {
				var v any
				if is, _ := of[document].(string); json.Unmarshal([]byte(is), &v) == nil {
					of[document] = v
				}
			}
			delete(of, "MaximumMessageSize")
			text = string(must(json.Marshal(of)))
		}
		out[key] = text
	}
	return out
}

// The check of a guarded account undoes each cut of its wires, or it is a finding that names
// the account, what is cut, and what restores it. Nothing of the hub changes, and the check
// after that has nothing more to do.
func TestSpokeCuts(t *testing.T) {
	t.Parallel()
	for name, cut := range spokeCuts() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, guarded := guardedHub(t, "yes")
			hub, before := w.State(), guarded.State()
			cut.do(w, guarded)
			after := guarded.State()
			if cmp.Equal(before, after) && cut.event != "" {
				t.Fatal("the cut changes nothing")
			}
			findings, writes := w.checkSpoke(cut.region)
			if cut.finding == "" {
				if len(findings) > 0 || writes == 0 {
					t.Errorf("findings %v, %d actions; want it undone", findings, writes)
				}
				if diff := cmp.Diff(settled(t, before), settled(t, guarded.State())); diff != "" {
					t.Errorf("(-before +after):\n%s", diff)
				}
			} else {
				if len(findings) != 1 || !strings.HasPrefix(findings[0], cut.finding+" ") || writes > 0 {
					t.Errorf("findings %v, %d actions; want %s alone", findings, writes, cut.finding)
				}
				for _, says := range cut.says {
					if !strings.Contains(strings.Join(findings, "\n"), says) {
						t.Errorf("finding %v, want %q", findings, says)
					}
				}
				if diff := cmp.Diff(after, guarded.State()); diff != "" {
					t.Errorf("relight wrote (-before +after):\n%s", diff)
				}
			}
			if again, n := w.checkSpoke(cut.region); n > 0 || !slices.Equal(again, findings) {
				t.Errorf("once more: %v, %d actions", again, n)
			}
			if diff := cmp.Diff(hub, w.State()); diff != "" {
				t.Errorf("the hub changed (-before +after):\n%s", diff)
			}
		})
	}
}

// An event of a guarded account about its own wires leads to the same check of what it
// names, and people read which account that is.
func TestSpokeEvents(t *testing.T) {
	t.Parallel()
	for name, cut := range spokeCuts() {
		if cut.event == "" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, guarded := guardedHub(t, "yes")
			before, told := guarded.State(), len(w.Messages())
			cut.do(w, guarded)
			if again, errs := w.send(from(other, cut.event), true); len(errs)+len(again) > 0 {
				t.Fatalf("%v, again %v", errs, again)
			}
			said := w.told(told)
			if cut.finding == "" {
				if diff := cmp.Diff(settled(t, before), settled(t, guarded.State())); diff != "" {
					t.Errorf("(-before +after):\n%s\n%s", diff, w.log.String())
				}
			}
			for _, says := range append(cut.says, other) {
				if !strings.Contains(said, says) {
					t.Errorf("no message says %q:\n%s", says, said)
				}
			}
			writes := len(guarded.Writes())
			if w.send(from(other, cut.event), true); len(guarded.Writes()) != writes {
				t.Errorf("once more: %v", guarded.Writes()[writes:])
			}
		})
	}
}

// An event about a role of a guarded account leads to a finding that says how it differs from
// the template: of the role of another region's rules too, as events of IAM come from one
// region. What CloudFormation does waits for the sweep.
func TestSpokeRoleEvents(t *testing.T) {
	t.Parallel()
	event := func(name, role string) []byte {
		return []byte(strings.ReplaceAll(string(from(other, name)), "relight-guardRole0A1B2C3D-EXAMPLE", role))
	}
	byIt := func(role string) []byte {
		return []byte(strings.ReplaceAll(string(event("PutRolePolicy.own-role.json", role)), `"sourceIPAddress": "`, `"sourceIPAddress": "cloudformation.amazonaws.com", "was": "`))
	}
	for name, tt := range map[string]struct {
		cut   string
		event []byte
		says  []string // none for no message
	}{
		"the rules of a region":    {"role of the rules narrowed", event("PutRolePolicy.own-role.json", spokeForward), []string{"its policy forward was changed", second}},
		"gone":                     {"role of the rules deleted", event("DeleteRole.own-role.json", spokeForward), []string{"spoke-role-gone", "it does not exist"}},
		"the role of the hub":      {"role trusts another account too", event("PutRolePolicy.own-role.json", "relight-spoke"), []string{"its trust policy was changed", "relight-spoke"}},
		"what the trail needs":     {"role without what the trail needs", event("PutRolePolicy.own-role.json", "relight-spoke"), []string{"it lacks the policy trail"}},
		"in another case":          {"role narrowed", event("PutRolePolicy.own-role.json", "Relight-Spoke"), []string{"its policy grants was changed"}},
		"by CloudFormation":        {"role narrowed", byIt("relight-spoke"), nil},
		"another role":             {"role narrowed", event("PutRolePolicy.own-role.json", "theirs"), nil},
		"unlike a role of relight": {"role narrowed", event("PutRolePolicy.own-role.json", "spoke"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, guarded := guardedHub(t, "yes")
			spokeCuts()[tt.cut].do(w, guarded)
			told, writes := len(w.Messages()), len(guarded.Writes())
			w.send(tt.event, true)
			said := w.told(told)
			if tt.says == nil && said != "" {
				t.Errorf("message %s", said)
			}
			for _, says := range tt.says {
				if !strings.Contains(said, says) || !strings.Contains(said, other) {
					t.Errorf("no message says %q of %s:\n%s", says, other, said)
				}
			}
			if len(guarded.Writes()) != writes {
				t.Errorf("writes %v", guarded.Writes()[writes:])
			}
		})
	}
}

// If the narrowed role cannot be used for a repair, or for a read, people learn both: what is
// not restored, and what became of the role. All else is restored.
func TestSpokeRoleNarrowed(t *testing.T) {
	t.Parallel()
	cut := func(w *world, guarded *awstest.Account) {
		spokeCuts()["role narrowed"].do(w, guarded)
		w.changeSpokeQueue(guarded, home, map[string]string{"MessageRetentionPeriod": "60"})
		must(guarded.EventBridge.DisableRule(w.t.Context(), &eventbridge.DisableRuleInput{Name: aws.String(spokeRule)}))
	}
	for denied, want := range map[string]struct {
		findings []string
		failed   string
		queue    bool // restored
	}{
		"PutRule":                  {[]string{"spoke-role-changed"}, "events.PutRule", true},
		"SetQueueAttributes":       {[]string{"spoke-role-changed"}, "sqs.SetQueueAttributes", false},
		"ListRules":                {[]string{"spoke-role-changed", "spoke-unread"}, "", true},
		"GetRole":                  {[]string{"spoke-unread", "spoke-unread"}, "", true},
		"GetRolePolicy":            {[]string{"spoke-unread", "spoke-unread"}, "", true},
		"ListAttachedRolePolicies": {[]string{"spoke-unread", "spoke-unread"}, "", true},
		"GetQueueUrl":              {[]string{"spoke-role-changed", "spoke-unread"}, "", false},
	} {
		t.Run(denied, func(t *testing.T) {
			t.Parallel()
			w, guarded := guardedHub(t, "no")
			cut(w, guarded)
			guarded.Deny(denied)
			rep := w.app(catalog.Function(catalog.Guard)).CheckSpoke(t.Context(), other, home)
			var codes []string
			for _, f := range rep.Plan.Findings {
				if codes = append(codes, string(f.Code)); !strings.Contains(f.String(), other) {
					t.Errorf("finding %s does not name the account", f)
				}
			}
			slices.Sort(codes)
			if diff := cmp.Diff(want.findings, codes); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if err := rep.Failures(); (err == nil) != (want.failed == "") || err != nil && !strings.Contains(err.Error(), want.failed) {
				t.Errorf("%v, want %q", err, want.failed)
			}
			guarded.Allow(denied)
			out := must(guarded.SQS.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{
				QueueUrl: aws.String("https://sqs." + home + ".amazonaws.com/" + other + "/relight-undelivered"), AttributeNames: []sqstypes.QueueAttributeName{"All"},
			}))
			if got := out.Attributes["MessageRetentionPeriod"] == "1209600"; got != want.queue {
				t.Errorf("the queue is restored: %t, want %t", got, want.queue)
			}
		})
	}
}

// While an account lets the hub not in at all, that is the finding, and no part of it is
// reported beside that.
func TestSpokeClosed(t *testing.T) {
	t.Parallel()
	w, guarded := guardedHub(t, "no")
	guarded.RemoveRole(spokeRole)
	rep := w.app(catalog.Function(catalog.Guard)).CheckSpoke(t.Context(), other, home)
	if len(rep.Plan.Findings) != 1 || rep.Plan.Findings[0].Code != "account-closed" {
		t.Errorf("findings %v, want account-closed alone", rep.Plan.Findings)
	}
}

// relight creates no rule that the stack of an account may not have: CloudFormation could not
// create it then. That is so for a stack of another version, and for one that is new.
func TestSpokeOfAnotherVersion(t *testing.T) {
	t.Parallel()
	gone := func(w *world, a *awstest.Account) { w.removeRule(a, home, spokeRule) }
	describe := func(text string) func(w *world, a *awstest.Account) {
		return func(w *world, a *awstest.Account) {
			role := "relight-forward-" + home
			is := must(a.IAM.GetRole(w.t.Context(), &iam.GetRoleInput{RoleName: aws.String(role)})).Role
			policy := must(url.QueryUnescape(*must(a.IAM.GetRolePolicy(w.t.Context(), &iam.GetRolePolicyInput{RoleName: aws.String(role), PolicyName: aws.String("forward")})).PolicyDocument))
			now := a.Now
			a.Now = func() time.Time { return time.Time{} }
			a.RemoveRole("arn:aws:iam::" + other + ":role/" + role)
			must(a.IAM.CreateRole(w.t.Context(), &iam.CreateRoleInput{
				RoleName: is.RoleName, Description: aws.String(text), AssumeRolePolicyDocument: aws.String(must(url.QueryUnescape(*is.AssumeRolePolicyDocument))),
			}))
			must(a.IAM.PutRolePolicy(w.t.Context(), &iam.PutRolePolicyInput{RoleName: is.RoleName, PolicyName: aws.String("forward"), PolicyDocument: aws.String(policy)}))
			a.Now = now
		}
	}
	for name, tt := range map[string]struct {
		do    []func(w *world, a *awstest.Account)
		new   bool
		codes []string
		put   bool
	}{
		"of this version":                  {do: []func(*world, *awstest.Account){gone}, put: true},
		"new":                              {do: []func(*world, *awstest.Account){gone}, new: true},
		"of another version":               {do: []func(*world, *awstest.Account){gone, describe("rules 00000000")}, codes: []string{"spoke-role-changed", "spoke-rules-gone"}},
		"of another version, with its own": {do: []func(*world, *awstest.Account){describe("rules 00000000")}, codes: []string{"spoke-role-changed"}},
		"with a role that is not read":     {do: []func(*world, *awstest.Account){gone, func(_ *world, a *awstest.Account) { a.Deny("GetRole") }}, codes: []string{"spoke-rules-gone", "spoke-unread", "spoke-unread"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, guarded := guardedHub(t, "yes")
			for _, do := range tt.do {
				do(w, guarded)
			}
			if tt.new {
				w.now = w.now.Add(-2 * time.Hour)
				guarded.DeleteQueue("arn:aws:sqs:" + home + ":" + other + ":relight-undelivered")
			}
			rep := w.app(catalog.Function(catalog.Guard)).CheckSpoke(t.Context(), other, home)
			var codes []string
			for _, f := range rep.Plan.Findings {
				codes = append(codes, string(f.Code))
			}
			slices.Sort(codes)
			if diff := cmp.Diff(tt.codes, codes); diff != "" || rep.Failures() != nil {
				t.Errorf("%v (-want +got):\n%s", rep.Failures(), diff)
			}
			if put := len(rep.Outcomes) > 0; put != tt.put {
				t.Errorf("%v, want a repair: %t", rep.Outcomes, tt.put)
			}
		})
	}
}
