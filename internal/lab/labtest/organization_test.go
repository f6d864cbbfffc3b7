package labtest

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"

	"github.com/relight-aws/relight/internal/lab"
)

// The accounts of these tests beside the lab's own, which manages the organisation. Each
// test has its own, so that the one may leave while another has joined.
const (
	sender  = "222233334444"
	putter  = "333344445555"
	assumed = "444455556666"
)

// in returns the configuration of clients of an account's root user.
func in(account, region string) aws.Config { return config(region, account, lab.Secret, "") }

// organization returns the ID of the lab's organisation, which it makes if there is none.
func organization(t *testing.T) string {
	t.Helper()
	id, err := cloud.Organization(t.Context())
	must(t, err)
	return id
}

func join(t *testing.T, account string) {
	t.Helper()
	must(t, cloud.Join(t.Context(), account))
}

// asRoot runs the AWS CLI as the root user of an account.
func asRoot(t *testing.T, account string, args ...string) (string, error) {
	t.Helper()
	return cloud.RootOf(account).In(lab.Region).AWS(t.Context(), args...)
}

func leave(t *testing.T, account string) {
	t.Helper()
	_, err := asRoot(t, account, "organizations", "leave-organization")
	must(t, err)
}

// A member describes the organisation and does nothing else with it; the management account
// lists the members.
func TestOrganization(t *testing.T) {
	const member = "555566667777"
	id := organization(t)
	if again := organization(t); again != id {
		t.Errorf("organisations %s and %s", id, again)
	}
	members := func() bool {
		out, err := asRoot(t, lab.Account, "organizations", "list-accounts", "--query", "Accounts[].Id", "--output", "text")
		must(t, err)
		return strings.Contains(out, member)
	}
	refused := func(code, account string, args ...string) {
		t.Helper()
		if out, err := asRoot(t, account, append([]string{"organizations"}, args...)...); err == nil || !strings.Contains(err.Error(), code) {
			t.Errorf("%s as %s: %s, %v; want %s", args, account, out, err, code)
		}
	}
	shaken, err := asRoot(t, lab.Account, "organizations", "invite-account-to-organization", "--target", "Type=ACCOUNT,Id="+member, "--query", "Handshake.Id", "--output", "text")
	must(t, err)
	if members() {
		t.Error("an account that is only invited is a member")
	}
	refused("HandshakeNotFoundException", lab.Account, "accept-handshake", "--handshake-id", shaken)
	_, err = asRoot(t, member, "organizations", "accept-handshake", "--handshake-id", shaken)
	must(t, err)
	out, err := asRoot(t, member, "organizations", "describe-organization", "--query", "Organization.[Id,MasterAccountId]", "--output", "text")
	must(t, err)
	if out != id+"\t"+lab.Account || !members() {
		t.Errorf("a member of %q, in the list: %t; want %s of %s", out, members(), id, lab.Account)
	}
	refused("AccessDeniedException", member, "list-accounts")
	refused("AlreadyInOrganizationException", member, "create-organization")
	leave(t, member)
	if members() {
		t.Error("an account that left is a member")
	}
}

// makeRole makes a role of an account, with a trust policy of these statements.
func makeRole(t *testing.T, account, name, trust string) (arn string) {
	t.Helper()
	made, err := iam.NewFromConfig(in(account, lab.Region)).CreateRole(t.Context(), &iam.CreateRoleInput{
		RoleName: &name, AssumeRolePolicyDocument: aws.String(policyOf(trust)),
	})
	must(t, err)
	return *made.Role.Arn
}

// grant replaces the policy of a role.
func grant(t *testing.T, account, role, statements string) {
	t.Helper()
	_, err := iam.NewFromConfig(in(account, lab.Region)).PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{
		RoleName: &role, PolicyName: aws.String("p"), PolicyDocument: aws.String(policyOf(statements)),
	})
	must(t, err)
}

func policyOf(statements string) string {
	return `{"Version":"2012-10-17","Statement":[` + statements + `]}`
}

// admitBus replaces the policy of a bus of the lab's own account.
func admitBus(t *testing.T, bus, statements string) {
	t.Helper()
	c := eventbridge.NewFromConfig(in(lab.Account, lab.Region))
	_, err := c.PutPermission(t.Context(), &eventbridge.PutPermissionInput{EventBusName: &bus, Policy: aws.String(policyOf(statements))})
	must(t, err)
}

// An event reaches a bus in another account only if the role of the target may put events
// there and the policy of the bus admits the role. Else it goes to the dead-letter queue of
// the target, if that admits the rule.
func TestForwardingAcrossAccounts(t *testing.T) {
	const bus = "across"
	const region = lab.Region
	id := organization(t)
	made, err := eventbridge.NewFromConfig(in(lab.Account, region)).CreateEventBus(t.Context(), &eventbridge.CreateEventBusInput{Name: aws.String(bus)})
	must(t, err)
	onHub := subscribe(t, region, bus, `{"account":["`+sender+`"]}`)
	members := fmt.Sprintf(`{"Sid":"o","Effect":"Allow","Principal":"*","Action":"events:PutEvents","Resource":%q,"Condition":{"StringEquals":{"aws:PrincipalOrgID":%q}}}`, *made.EventBusArn, id)
	trust := `{"Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"aws:SourceAccount":"` + sender + `"}}}`
	mayPut := fmt.Sprintf(`{"Effect":"Allow","Action":"events:PutEvents","Resource":%q}`, *made.EventBusArn)
	role := makeRole(t, sender, bus, trust)

	queues := sqs.NewFromConfig(in(sender, region))
	dead, err := queues.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String(bus)})
	must(t, err)
	arn := "arn:aws:sqs:" + region + ":" + sender + ":" + bus
	admitRule := func(rule string) {
		_, err := queues.SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{QueueUrl: dead.QueueUrl, Attributes: map[string]string{"Policy": policyOf(
			`{"Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},"Action":"sqs:SendMessage","Resource":"` + arn + `","Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:events:` + region + `:` + sender + `:rule/` + rule + `"}}}`)}})
		must(t, err)
	}
	undelivered := func() (codes []string) {
		out, err := queues.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: dead.QueueUrl, MaxNumberOfMessages: 10, MessageAttributeNames: []string{"All"}})
		must(t, err)
		for _, m := range out.Messages {
			var e envelope
			must(t, json.Unmarshal([]byte(*m.Body), &e.Event))
			if e.Account != sender || aws.ToString(m.MessageAttributes["TARGET_ARN"].StringValue) != *made.EventBusArn {
				t.Errorf("undelivered: %s with %v", *m.Body, m.MessageAttributes)
			}
			codes = append(codes, aws.ToString(m.MessageAttributes["ERROR_CODE"].StringValue))
			_, err := queues.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: dead.QueueUrl, ReceiptHandle: m.ReceiptHandle})
			must(t, err)
		}
		return codes
	}
	rules := eventbridge.NewFromConfig(in(sender, region))
	_, err = rules.PutRule(t.Context(), &eventbridge.PutRuleInput{Name: aws.String(bus), EventPattern: aws.String(`{"source":["aws.logs"],"detail":{"eventName":["CreateLogGroup"]}}`)})
	must(t, err)
	_, err = rules.PutTargets(t.Context(), &eventbridge.PutTargetsInput{Rule: aws.String(bus), Targets: []ebtypes.Target{{
		Id: aws.String("hub"), Arn: made.EventBusArn, RoleArn: &role, DeadLetterConfig: &ebtypes.DeadLetterConfig{Arn: &arn},
	}}})
	must(t, err)
	admitRule(bus)

	// A forwarded event is not forwarded again.
	onward, err := rules.CreateEventBus(t.Context(), &eventbridge.CreateEventBusInput{Name: aws.String("onward-" + bus)})
	must(t, err)
	hubRole := makeRole(t, lab.Account, "onward-"+bus, `{"Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},"Action":"sts:AssumeRole"}`)
	grant(t, lab.Account, "onward-"+bus, `{"Effect":"Allow","Action":"events:PutEvents","Resource":"*"}`)
	_, err = rules.PutPermission(t.Context(), &eventbridge.PutPermissionInput{EventBusName: aws.String("onward-" + bus), StatementId: aws.String("hub"), Action: aws.String("events:PutEvents"), Principal: aws.String(lab.Account)})
	must(t, err)
	rule(t, region, bus, "onward", `{"source":["aws.logs"]}`, ebtypes.Target{Id: aws.String("bus"), Arn: onward.EventBusArn, RoleArn: &hubRole})

	steps := []struct {
		name   string
		change func()
		want   int
		dead   string // error code
	}{
		{name: "neither admits", dead: "NO_PERMISSIONS"},
		{name: "only the role", change: func() { grant(t, sender, bus, mayPut) }, dead: "NO_PERMISSIONS"},
		{name: "an organisation that it is not in", change: func() { admitBus(t, bus, members) }, dead: "NO_PERMISSIONS"},
		{name: "a member", change: func() { join(t, sender) }, want: 1},
		{name: "only the bus", change: func() { grant(t, sender, bus, `{"Effect":"Deny","Action":"*","Resource":"*"}`) }, dead: "NO_PERMISSIONS"},
		{name: "a queue that does not admit the rule", change: func() { admitRule("other") }},
		{name: "both again", change: func() { admitRule(bus); grant(t, sender, bus, mayPut) }, want: 1},
		{name: "a role that trusts somebody else", change: func() {
			trusts(t, sender, bus, `{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}`)
		}, dead: "FAILED_TO_ASSUME_ROLE"},
		{name: "a role that trusts events of another account", change: func() {
			trusts(t, sender, bus, `{"Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"aws:SourceAccount":"`+lab.Account+`"}}}`)
		}, dead: "FAILED_TO_ASSUME_ROLE"},
		{name: "its own", change: func() { trusts(t, sender, bus, trust) }, want: 1},
		{name: "no member", change: func() { leave(t, sender) }, dead: "NO_PERMISSIONS"},
		{name: "its number in the policy", change: func() {
			_, err := eventbridge.NewFromConfig(in(lab.Account, region)).PutPermission(t.Context(), &eventbridge.PutPermissionInput{
				EventBusName: aws.String(bus), StatementId: aws.String("s"), Action: aws.String("events:PutEvents"), Principal: aws.String(sender),
			})
			must(t, err)
		}, want: 1},
		{name: "no bus", change: func() {
			_, err := eventbridge.NewFromConfig(in(lab.Account, region)).DeleteEventBus(t.Context(), &eventbridge.DeleteEventBusInput{Name: aws.String(bus)})
			must(t, err)
		}, dead: "NO_RESOURCE"},
	}
	logs := cloudwatchlogs.NewFromConfig(in(sender, region))
	for i, step := range steps {
		if step.change != nil {
			step.change()
		}
		_, err := logs.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String(fmt.Sprint("across-", i))})
		must(t, err)
		got := onHub.next()
		if len(got) != step.want {
			t.Errorf("%s: %d events, want %d", step.name, len(got), step.want)
		}
		for _, e := range got {
			if e.Account != sender || e.Region != region || e.Record.RecipientAccountID != sender || e.Record.UserIdentity.AccountID != sender {
				t.Errorf("%s: arrived as %+v", step.name, e)
			}
		}
		if codes := fmt.Sprint(undelivered()); codes != "["+step.dead+"]" {
			t.Errorf("%s: undelivered for %s, want %s", step.name, codes, step.dead)
		}
	}
}

// trusts replaces the trust policy of a role.
func trusts(t *testing.T, account, role, statements string) {
	t.Helper()
	_, err := iam.NewFromConfig(in(account, lab.Region)).UpdateAssumeRolePolicy(t.Context(), &iam.UpdateAssumeRolePolicyInput{
		RoleName: &role, PolicyDocument: aws.String(policyOf(statements)),
	})
	must(t, err)
}

// A caller puts events on the bus of another account only if both its own policy and that of
// the bus allow it. The event has the caller's account, and no source of AWS's.
func TestPutEventsAcrossAccounts(t *testing.T) {
	const bus, region = "put-across", lab.Region
	id := organization(t)
	made, err := eventbridge.NewFromConfig(in(lab.Account, region)).CreateEventBus(t.Context(), &eventbridge.CreateEventBusInput{Name: aws.String(bus)})
	must(t, err)
	onHub := subscribe(t, region, bus, `{"source":[{"exists":true}]}`)
	users := iam.NewFromConfig(in(putter, region))
	_, err = users.CreateUser(t.Context(), &iam.CreateUserInput{UserName: aws.String(bus)})
	must(t, err)
	key, err := users.CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{UserName: aws.String(bus)})
	must(t, err)
	user := eventbridge.NewFromConfig(config(region, *key.AccessKey.AccessKeyId, *key.AccessKey.SecretAccessKey, ""))
	entry := func(source, bus string) ebtypes.PutEventsRequestEntry {
		return ebtypes.PutEventsRequestEntry{Source: &source, EventBusName: &bus, DetailType: aws.String("x"), Detail: aws.String(`{"account":"` + lab.Account + `"}`)}
	}
	put := func(c *eventbridge.Client, entries ...ebtypes.PutEventsRequestEntry) (*eventbridge.PutEventsOutput, error) {
		return c.PutEvents(t.Context(), &eventbridge.PutEventsInput{Entries: entries})
	}
	allowUser := func(resource string) {
		_, err := users.PutUserPolicy(t.Context(), &iam.PutUserPolicyInput{
			UserName: aws.String(bus), PolicyName: aws.String("p"), PolicyDocument: aws.String(policyOf(`{"Effect":"Allow","Action":"events:PutEvents","Resource":"` + resource + `"}`)),
		})
		must(t, err)
	}

	join(t, putter)
	allowUser(*made.EventBusArn)
	_, err = put(user, entry("mine", *made.EventBusArn))
	wantCode(t, err, "AccessDeniedException") // the bus has no policy
	admitBus(t, bus, fmt.Sprintf(`{"Effect":"Allow","Principal":"*","Action":"events:PutEvents","Resource":%q,"Condition":{"StringEquals":{"aws:PrincipalOrgID":%q}}}`, *made.EventBusArn, id))
	out, err := put(user, entry("mine", *made.EventBusArn), entry("aws.ec2", *made.EventBusArn))
	must(t, err)
	if out.FailedEntryCount != 1 || aws.ToString(out.Entries[1].ErrorCode) != "NotAuthorizedForSourceException" || aws.ToString(out.Entries[0].EventId) == "" {
		t.Errorf("%+v", out)
	}
	got := onHub.next()
	if len(got) != 1 || got[0].Account != putter || got[0].Source != "mine" || got[0].ID != *out.Entries[0].EventId {
		t.Errorf("arrived: %+v", got)
	}
	_, err = put(user, entry("mine", *made.EventBusArn), entry("mine", "default"))
	wantCode(t, err, "AccessDeniedException") // its policy is about one bus
	allowUser("arn:aws:events:" + region + ":" + putter + ":event-bus/default")
	_, err = put(user, entry("mine", *made.EventBusArn))
	wantCode(t, err, "AccessDeniedException")
	_, err = put(user, entry("mine", "default"))
	must(t, err)
	root := eventbridge.NewFromConfig(in(putter, region))
	_, err = put(root, entry("mine", *made.EventBusArn))
	must(t, err)
	leave(t, putter)
	_, err = put(root, entry("mine", *made.EventBusArn))
	wantCode(t, err, "AccessDeniedException")
	if got := onHub.next(); len(got) != 1 {
		t.Errorf("%d events arrived, want that of the root user", len(got))
	}
}

// A session in another account needs the trust of the role and the caller's own policy. Its
// tags count in the policies of the role, and its calls are calls of the other account.
func TestAssumeRoleAcrossAccounts(t *testing.T) {
	const region, name, external = lab.Region, "spoke-role", "lights"
	id := organization(t)
	spoke := "arn:aws:iam::" + assumed + ":role/" + name
	callers := map[string]string{}
	for _, caller := range []string{"fn-delivery", "fn-other"} {
		callers[caller] = makeRole(t, lab.Account, caller, `{"Effect":"Allow","Principal":{"AWS":"`+lab.Account+`"},"Action":"sts:AssumeRole"}`)
	}
	may := func(caller, actions, condition string) {
		grant(t, lab.Account, caller, `{"Effect":"Allow","Action":`+actions+`,"Resource":"arn:aws:iam::*:role/`+name+`","Condition":`+condition+`}`)
	}
	const both = `["sts:AssumeRole","sts:TagSession"]`
	inside := `{"StringEquals":{"aws:ResourceOrgID":"` + id + `"}}`
	hub := `"Principal":{"AWS":"arn:aws:iam::` + lab.Account + `:root"}`
	member := `"aws:PrincipalOrgID":"` + id + `"`
	makeRole(t, assumed, name, `{"Effect":"Allow","Action":"sts:AssumeRole",`+hub+`,"Condition":{"ArnEquals":{"aws:PrincipalArn":["`+callers["fn-delivery"]+`","`+callers["fn-other"]+`"]},"StringEquals":{`+member+`,"sts:ExternalId":"`+external+`"}}},
		{"Effect":"Allow","Action":"sts:TagSession",`+hub+`,"Condition":{"ForAllValues:StringEquals":{"aws:TagKeys":["function","run"]},"StringEquals":{`+member+`},"StringNotEquals":{"aws:RequestTag/function":"delivery"}}},
		{"Effect":"Allow","Action":"sts:TagSession",`+hub+`,"Condition":{"ForAllValues:StringEquals":{"aws:TagKeys":["function","run"]},"StringEquals":{`+member+`},"ArnEquals":{"aws:PrincipalArn":"`+callers["fn-delivery"]+`"}}}`)
	grant(t, assumed, name, `{"Effect":"Allow","Action":"logs:CreateLogGroup","Resource":"*"},
		{"Effect":"Allow","Action":"logs:DeleteLogGroup","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/function":"delivery"}}}`)

	session := func(cfg aws.Config, role, external string, tags ...string) (aws.Config, error) {
		in := &sts.AssumeRoleInput{RoleArn: &role, RoleSessionName: aws.String("s")}
		if external != "" {
			in.ExternalId = &external
		}
		for i := 0; i < len(tags); i += 2 {
			in.Tags = append(in.Tags, ststypes.Tag{Key: &tags[i], Value: &tags[i+1]})
		}
		out, err := sts.NewFromConfig(cfg).AssumeRole(t.Context(), in)
		if err != nil {
			return aws.Config{}, err
		}
		return config(region, *out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, *out.Credentials.SessionToken), nil
	}
	// A user, because the root user assumes no role.
	user := newUser(t, "assumes")
	user.policy(t, "*")
	as := func(caller string) aws.Config {
		cfg, err := session(config(region, user.key, user.secret, ""), callers[caller], "")
		must(t, err)
		return cfg
	}
	delivery, other := as("fn-delivery"), as("fn-other")
	logs := cloudwatchlogs.NewFromConfig(in(assumed, region))

	steps := []struct {
		name, external string
		change         func()
		as             aws.Config
		tags           []string
		ok             bool
	}{
		{name: "no policy of its own", as: delivery, external: external},
		{name: "an account outside of the organisation", as: delivery, external: external, change: func() { may("fn-delivery", both, inside); may("fn-other", both, inside) }},
		{name: "a member", as: delivery, external: external, change: func() { join(t, assumed) }, ok: true},
		{name: "no external ID", as: delivery},
		{name: "another external ID", as: delivery, external: "other"},
		{name: "a user of the hub", as: config(region, user.key, user.secret, ""), external: external},
		{name: "tags", as: delivery, external: external, tags: []string{"function", "delivery", "run", "1"}, ok: true},
		{name: "another function's tag", as: other, external: external, tags: []string{"function", "delivery"}},
		{name: "a tag of its own", as: other, external: external, tags: []string{"function", "other"}, ok: true},
		{name: "a tag that is not admitted", as: delivery, external: external, tags: []string{"function", "delivery", "admin", "yes"}},
		{name: "tags without a right to them", as: delivery, external: external, tags: []string{"function", "delivery"}, change: func() { may("fn-delivery", `"sts:AssumeRole"`, inside) }},
		{name: "no tags then", as: delivery, external: external, ok: true},
	}
	for _, step := range steps {
		if step.change != nil {
			step.change()
		}
		got, err := session(step.as, spoke, step.external, step.tags...)
		if !step.ok {
			if err == nil {
				t.Errorf("%s: admitted", step.name)
				continue
			}
			wantCode(t, err, "AccessDenied")
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", step.name, err)
			continue
		}
		c, group := cloudwatchlogs.NewFromConfig(got), aws.String("assumed-"+step.name[:3])
		_, err = c.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: group})
		must(t, err)
		_, err = c.DeleteLogGroup(t.Context(), &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: group})
		if len(step.tags) > 0 && step.tags[1] == "delivery" {
			must(t, err)
			continue
		}
		wantCode(t, err, "AccessDeniedException")
		_, err = logs.DeleteLogGroup(t.Context(), &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: group})
		must(t, err)
	}
	must(t, cloud.Tap.Flush(t.Context()))
	seen := false
	for _, e := range cloud.Tap.Events() {
		if e.Account != assumed || e.Source != "aws.logs" {
			continue
		}
		var is envelope
		must(t, json.Unmarshal(e.Detail, &is.Record))
		if r := is.Record; r.EventName == "CreateLogGroup" && r.UserIdentity.ARN == "arn:aws:sts::"+assumed+":assumed-role/"+name+"/s" {
			seen = true
			if r.RecipientAccountID != assumed || r.UserIdentity.AccountID != assumed || r.UserIdentity.SessionContext.SessionIssuer.ARN != spoke {
				t.Errorf("recorded as %s", e.Detail)
			}
		}
	}
	if !seen {
		t.Error("no event is of the session's account")
	}
	leave(t, assumed)
}

// A session of a role ends with the role, and that of a role with the same name is another one.
func TestSessionOfDeletedRole(t *testing.T) {
	const name = "short-lived"
	trust := `{"Effect":"Allow","Principal":{"AWS":"` + lab.Account + `"},"Action":"sts:AssumeRole"}`
	user, own := newUser(t, "of-short-lived"), iam.NewFromConfig(config(lab.Region))
	user.policy(t, "*")
	open := func() aws.Config {
		arn := makeRole(t, lab.Account, name, trust)
		grant(t, lab.Account, name, `{"Effect":"Allow","Action":"*","Resource":"*"}`)
		out, err := sts.NewFromConfig(config(lab.Region, user.key, user.secret, "")).AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: &arn, RoleSessionName: aws.String("s")})
		must(t, err)
		return config(lab.Region, *out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, *out.Credentials.SessionToken)
	}
	remove := func() {
		policies, err := own.ListRolePolicies(t.Context(), &iam.ListRolePoliciesInput{RoleName: aws.String(name)})
		must(t, err)
		for _, p := range policies.PolicyNames {
			_, err := own.DeleteRolePolicy(t.Context(), &iam.DeleteRolePolicyInput{RoleName: aws.String(name), PolicyName: &p})
			must(t, err)
		}
		_, err = own.DeleteRole(t.Context(), &iam.DeleteRoleInput{RoleName: aws.String(name)})
		must(t, err)
	}
	ask := func(as aws.Config) (byIAM, byLogs error) {
		_, byIAM = iam.NewFromConfig(as).ListRoles(t.Context(), &iam.ListRolesInput{})
		_, byLogs = cloudwatchlogs.NewFromConfig(as).DescribeLogGroups(t.Context(), &cloudwatchlogs.DescribeLogGroupsInput{})
		return byIAM, byLogs
	}
	first := open()
	byIAM, byLogs := ask(first)
	must(t, byIAM)
	must(t, byLogs)
	remove()
	for _, again := range []bool{false, true} {
		if again {
			byIAM, byLogs = ask(open())
			must(t, byIAM)
			must(t, byLogs)
		}
		byIAM, byLogs = ask(first)
		wantCode(t, byIAM, "InvalidClientTokenId")
		wantCode(t, byLogs, "UnrecognizedClientException")
	}
	remove()
}
