package plan_test

import (
	"fmt"
	"testing"

	"github.com/relight-aws/relight/internal/plan"
)

const (
	someTopic = "arn:aws:sns:us-east-1:111122223333:alarms"
	someAlarm = "arn:aws:cloudwatch:us-east-1:111122223333:alarm:root"
	everybody = `"*"`
	byAlarms  = `{"Service":"cloudwatch.amazonaws.com"}`
)

// statement returns a statement about publishing to someTopic, with conditions.
func statement(effect, who, condition string) string {
	return fmt.Sprintf(`{"Effect":%q,"Principal":%s,"Action":"sns:Publish","Resource":%q,"Condition":{%s}}`, effect, who, someTopic, condition)
}

// The policies of ordinary accounts let alarms through: what SNS, CDK, Terraform
// modules, Control Tower and AWS's documentation write.
func TestOrdinaryTopicPolicies(t *testing.T) {
	const (
		asMade = `{"Sid":"__default_statement_ID","Effect":"Allow","Principal":{"AWS":"*"},"Action":["SNS:GetTopicAttributes","SNS:SetTopicAttributes","SNS:AddPermission",` +
			`"SNS:RemovePermission","SNS:DeleteTopic","SNS:Subscribe","SNS:ListSubscriptionsByTopic","SNS:Publish"],"Resource":"` + someTopic + `","Condition":{"StringEquals":{"AWS:SourceOwner":"111122223333"}}}`
		ssl     = `{"Sid":"AllowPublishThroughSSLOnly","Effect":"Deny","Principal":"*","Action":"sns:Publish","Resource":"` + someTopic + `","Condition":{"Bool":{"aws:SecureTransport":"false"}}}`
		service = `{"Effect":"Allow","Principal":{"Service":"cloudwatch.amazonaws.com"},"Action":"sns:Publish","Resource":"` + someTopic + `"}`
	)
	for name, policy := range map[string]string{
		"SNS's own":                         policyOf(asMade),
		"SNS's own, of 2008":                `{"Version":"2008-10-17","Id":"__default_policy_ID","Statement":[` + asMade + `]}`,
		"one statement":                     `{"Version":"2012-10-17","Statement":` + service + `}`,
		"CDK's enforceSSL":                  policyOf(ssl, service),
		"SNS's own, and TLS":                policyOf(asMade, ssl),
		"any service of AWS":                policyOf(statement("Allow", everybody, `"Bool":{"aws:PrincipalIsAWSService":"true"}`)),
		"by the service's name":             policyOf(statement("Allow", everybody, `"StringEquals":{"aws:PrincipalServiceName":"cloudwatch.amazonaws.com"}`)),
		"SNS Developer Guide, for alarms":   policyOf(statement("Allow", byAlarms, `"ArnLike":{"aws:SourceArn":"arn:aws:cloudwatch:us-east-1:111122223333:alarm:*"}`)),
		"the account as a number":           policyOf(statement("Allow", byAlarms, `"StringEquals":{"aws:SourceAccount":111122223333}`)),
		"source account and ARN":            policyOf(statement("Allow", byAlarms, `"StringEquals":{"aws:SourceAccount":"111122223333"},"ArnLike":{"aws:SourceArn":"arn:aws:cloudwatch:*:111122223333:alarm:*"}`)),
		"StringLike on the ARN":             policyOf(statement("Allow", byAlarms, `"StringLike":{"aws:SourceArn":"arn:aws:cloudwatch:*"}`)),
		"present, whatever it is":           policyOf(statement("Allow", byAlarms, `"Null":{"aws:SourceAccount":"false"}`)),
		"Control Tower's, and events":       policyOf(asMade, `{"Sid":"TrustCWEToPublishEventsToMyTopic","Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},"Action":"sns:Publish","Resource":"`+someTopic+`"}`),
		"services, and people of the org":   policyOf(`{"Effect":"Allow","Principal":{"Service":["events.amazonaws.com","cloudwatch.amazonaws.com"]},"Action":["sns:Publish"],"Resource":"*"}`, statement("Allow", everybody, `"StringEquals":{"aws:PrincipalOrgID":"o-1"}`)),
		"a data perimeter":                  policyOf(service, statement("Deny", everybody, `"StringNotEqualsIfExists":{"aws:PrincipalOrgID":"o-1"},"BoolIfExists":{"aws:PrincipalIsAWSService":"false","aws:ViaAWSService":"false"}`)),
		"a network perimeter":               policyOf(service, statement("Deny", everybody, `"NotIpAddressIfExists":{"aws:SourceIp":"203.0.113.0/24"},"StringNotEqualsIfExists":{"aws:SourceVpc":"vpc-1"},"BoolIfExists":{"aws:PrincipalIsAWSService":"false"}`)),
		"a confused deputy's, denied":       policyOf(service, statement("Deny", byAlarms, `"StringNotEquals":{"aws:SourceAccount":"111122223333"}`)),
		"another topic, denied":             policyOf(service, `{"Effect":"Deny","Principal":"*","Action":"sns:*","Resource":"`+someTopic+`-2"}`),
		"deleting, denied":                  policyOf(service, `{"Effect":"Deny","Principal":"*","Action":["sns:DeleteTopic","sns:SetTopicAttributes"],"Resource":"*"}`),
		"other services, denied":            policyOf(service, `{"Effect":"Deny","NotPrincipal":{"Service":"cloudwatch.amazonaws.com"},"Action":"sns:Publish","Resource":"*"}`),
		"old TLS, denied to people":         policyOf(service, statement("Deny", `{"AWS":"111122223333"}`, `"NumericLessThan":{"s3:TlsVersion":"1.2"}`)),
		"an old session, denied":            policyOf(service, statement("Deny", everybody, `"NumericGreaterThan":{"aws:MultiFactorAuthAge":"3600"}`)),
		"a revoked session, denied":         policyOf(service, statement("Deny", everybody, `"DateLessThan":{"aws:TokenIssueTime":"2020-01-01T00:00:00Z"}`)),
		"anonymous, denied":                 policyOf(service, statement("Deny", everybody, `"StringEquals":{"aws:PrincipalType":"Anonymous"}`)),
		"by anything but publishing":        policyOf(service, `{"Effect":"Deny","Principal":"*","NotAction":"sns:Publish","Resource":"*"}`),
		"of a wildcard, and a quoted false": policyOf(`{"Effect":"Allow","Principal":{"AWS":["*"]},"Action":"SNS:pub*","Resource":"arn:aws:sns:*:111122223333:*","Condition":{"Bool":{"aws:SecureTransport":true}}}`),
	} {
		if why := plan.AdmitsAlarm(policy, someTopic, "root"); why != "" {
			t.Errorf("%s: %s: %s", name, why, policy)
		}
	}
}

// Whatever cannot be shown to let alarms through does not count.
func TestTopicPoliciesThatKeepAlarmsOut(t *testing.T) {
	const service = `{"Effect":"Allow","Principal":{"Service":"cloudwatch.amazonaws.com"},"Action":"sns:Publish","Resource":"` + someTopic + `"}`
	allow := func(condition string) string { return policyOf(statement("Allow", everybody, condition)) }
	deny := func(condition string) string { return policyOf(service, statement("Deny", everybody, condition)) }
	for name, policy := range map[string]string{
		"nothing":                      "",
		"no statement":                 policyOf(),
		"not JSON":                     `{"Statement":[`,
		"a principal that is a text":   policyOf(`{"Effect":"Allow","Principal":"cloudwatch.amazonaws.com","Action":"sns:Publish","Resource":"*"}`),
		"the account alone":            policyOf(`{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"sns:*","Resource":"*"}`),
		"the account's root":           policyOf(`{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"sns:Publish","Resource":"*"}`),
		"another service":              policyOf(`{"Effect":"Allow","Principal":{"Service":["events.amazonaws.com","monitoring.amazonaws.com"]},"Action":"sns:Publish","Resource":"*"}`),
		"any service, if there is one": policyOf(`{"Effect":"Allow","Principal":{"Service":"*"},"Action":"sns:Publish","Resource":"*"}`),
		"batches alone":                policyOf(`{"Effect":"Allow","Principal":"*","Action":["sns:PublishBatch","sns:Publish?"],"Resource":"*"}`),
		"another topic":                policyOf(`{"Effect":"Allow","Principal":"*","Action":"sns:Publish","Resource":"arn:aws:sns:us-east-1:111122223333:alarms2"}`),
		"the topic in other letters":   policyOf(`{"Effect":"Allow","Principal":"*","Action":"sns:Publish","Resource":"arn:aws:sns:us-east-1:111122223333:Alarms"}`),
		"another region's topic":       policyOf(`{"Effect":"Allow","Principal":"*","Action":"sns:Publish","Resource":"arn:aws:sns:eu-west-1:111122223333:alarms"}`),
		"all but this topic":           policyOf(`{"Effect":"Allow","Principal":"*","Action":"sns:Publish","NotResource":"arn:aws:sns:*:*:alarms"}`),
		"a topic by a variable":        policyOf(`{"Effect":"Allow","Principal":"*","Action":"sns:Publish","Resource":"arn:aws:sns:us-east-1:${aws:PrincipalAccount}:alarms"}`),
		"all but publishing":           policyOf(`{"Effect":"Allow","Principal":"*","NotAction":"SNS:Publish","Resource":"*"}`),
		"all but CloudWatch":           policyOf(`{"Effect":"Allow","NotPrincipal":{"Service":"cloudwatch.amazonaws.com"},"Action":"sns:Publish","Resource":"*"}`),

		"a path of the organisation":     allow(`"ForAnyValue:StringLike":{"aws:PrincipalOrgPaths":"o-1/*"}`),
		"the organisation":               allow(`"StringEquals":{"aws:PrincipalOrgID":"o-1"}`),
		"an organisation, unread":        allow(`"StringEquals":{"aws:SourceOrgID":"o-1"}`),
		"until a time":                   allow(`"DateLessThan":{"aws:CurrentTime":"2020-01-01T00:00:00Z"}`),
		"until a second":                 allow(`"NumericLessThan":{"aws:EpochTime":"1577836800"}`),
		"a key to come":                  allow(`"StringEquals":{"aws:SourceKind":"alarm"}`),
		"an operator to come":            allow(`"StringSoundsLike":{"aws:SourceAccount":"111122223333"}`),
		"an account by number":           allow(`"NumericEquals":{"aws:SourceAccount":"444455556666"}`),
		"an account by a variable":       allow(`"StringEquals":{"aws:SourceAccount":"${aws:PrincipalAccount}"}`),
		"a tag of the topic":             allow(`"StringEquals":{"aws:ResourceTag/team":"ops"}`),
		"on behalf of somebody":          allow(`"Bool":{"aws:ViaAWSService":"true"}`),
		"called via":                     allow(`"ForAnyValue:StringEquals":{"aws:CalledVia":"cloudformation.amazonaws.com"}`),
		"by user agent":                  allow(`"StringLike":{"aws:UserAgent":"Boto3/*"}`),
		"people alone":                   allow(`"Bool":{"aws:PrincipalIsAWSService":"false"}`),
		"another service's name":         allow(`"StringEquals":{"aws:PrincipalServiceName":"events.amazonaws.com"}`),
		"no source":                      allow(`"Null":{"aws:SourceArn":"true"}`),
		"an organisation, present":       allow(`"Null":{"aws:PrincipalOrgID":"false"}`),
		"another source, in a list":      allow(`"StringEquals":{"aws:SourceAccount":["444455556666","555566667777"]}`),
		"an ARN with a slash":            allow(`"ArnLike":{"aws:SourceArn":"arn:aws:cloudwatch:us-east-1:111122223333:alarm/*"}`),
		"events' ARN":                    allow(`"ArnLike":{"aws:SourceArn":"arn:aws:events:us-east-1:111122223333:rule/*"}`),
		"in another partition":           allow(`"ArnLike":{"aws:SourceArn":"arn:aws-us-gov:cloudwatch:*:111122223333:alarm:*"}`),
		"two conditions, one of them":    allow(`"StringEquals":{"aws:SourceAccount":"111122223333","aws:PrincipalOrgID":"o-1"}`),
		"half of the addresses":          allow(`"IpAddress":{"aws:SourceIp":["0.0.0.0/1","128.0.0.0/1"]}`),
		"an account with a leading zero": allow(`"StringEquals":{"aws:SourceAccount":"0111122223333"}`),

		"outsiders, denied":                deny(`"StringNotEquals":{"aws:PrincipalOrgID":"o-a1b2c3d4e5"}`),
		"outsiders, if known, denied":      deny(`"StringNotEqualsIfExists":{"aws:PrincipalOrgID":"o-1"}`),
		"other paths, denied":              deny(`"ForAllValues:StringNotLike":{"aws:PrincipalOrgPaths":"o-1/*"}`),
		"other paths, any, denied":         deny(`"ForAnyValue:StringNotLikeIfExists":{"aws:PrincipalOrgPaths":"o-1/*"}`),
		"without an organisation, denied":  deny(`"Null":{"aws:PrincipalOrgID":"true"}`),
		"another organisation's, denied":   deny(`"StringNotEquals":{"aws:SourceOrgID":"o-1"}`),
		"this account by number, denied":   deny(`"StringEquals":{"aws:SourceAccount":111122223333}`),
		"this account, numeric, denied":    deny(`"NumericEquals":{"aws:SourceAccount":"111122223333"}`),
		"half of the addresses, denied":    deny(`"IpAddress":{"aws:SourceIp":["0.0.0.0/1","128.0.0.0/1"]}`),
		"principals of a shape, denied":    deny(`"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/aws-service-role/*"}`),
		"services, denied":                 deny(`"Bool":{"aws:PrincipalIsAWSService":"true"}`),
		"services by name, denied":         deny(`"StringLike":{"aws:PrincipalServiceName":"*.amazonaws.com"}`),
		"direct calls, denied":             deny(`"Bool":{"aws:ViaAWSService":"false"}`),
		"nobody's behalf, denied":          deny(`"Null":{"aws:CalledVia":"true"}`),
		"an age that is lacking, denied":   deny(`"NumericNotEquals":{"aws:MultiFactorAuthAge":"1"}`),
		"a time that is lacking, denied":   deny(`"DateNotEquals":{"aws:TokenIssueTime":"2020-01-01T00:00:00Z"}`),
		"to come, on what lacks, denied":   deny(`"StringSoundsUnlike":{"aws:PrincipalOrgID":"o-1"}`),
		"since a time, denied":             deny(`"DateGreaterThan":{"aws:CurrentTime":"2020-01-01T00:00:00Z"}`),
		"a key to come, denied":            deny(`"StringEquals":{"aws:SourceKind":"alarm"}`),
		"an operator to come, denied":      deny(`"StringSoundsLike":{"aws:SourceAccount":"1"}`),
		"an account by a variable, denied": deny(`"StringNotEquals":{"aws:SourceAccount":"${aws:PrincipalAccount}"}`),
		"this alarm, denied":               deny(`"ArnEquals":{"aws:SourceArn":"` + someAlarm + `"}`),
		"alarms of a shape, denied":        deny(`"StringLike":{"aws:SourceArn":"*:alarm:ro?t"}`),
		"all but others, denied":           deny(`"ArnNotLike":{"aws:SourceArn":"arn:aws:cloudwatch:*:*:alarm:checkout-*"}`),
		"the topic's letters, denied":      policyOf(service, `{"Effect":"Deny","Principal":"*","Action":"sns:Publish","Resource":"arn:aws:sns:us-east-1:111122223333:ALARMS"}`),
		"the topic by a variable, denied":  policyOf(service, `{"Effect":"Deny","Principal":"*","Action":"sns:Publish","Resource":"arn:aws:sns:us-east-1:${aws:ResourceAccount}:alarms"}`),
		"all but another topic, denied":    policyOf(service, `{"Effect":"Deny","Principal":"*","Action":"sns:Publish","NotResource":"arn:aws:sns:us-east-1:111122223333:other"}`),
		"all but root, denied":             policyOf(service, `{"Effect":"Deny","NotPrincipal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"sns:Publish","Resource":"*"}`),
		"any service, denied":              policyOf(service, `{"Effect":"Deny","Principal":{"Service":"*"},"Action":"sns:Publish","Resource":"*"}`),
		"all but subscribing, denied":      policyOf(service, `{"Effect":"Deny","Principal":"*","NotAction":["sns:Subscribe","sns:Receive"],"Resource":"*"}`),
	} {
		if why := plan.AdmitsAlarm(policy, someTopic, "root"); why == "" {
			t.Errorf("%s: alarms count as let through by %s", name, policy)
		}
	}
}

// The policy of a topic's key has to let CloudWatch decrypt and make data keys.
func TestKeyPoliciesForAlarms(t *testing.T) {
	const (
		key     = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
		root    = `{"Sid":"root","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*"}`
		service = `{"Effect":"Allow","Principal":{"Service":"cloudwatch.amazonaws.com"},"Action":["kms:Decrypt","kms:GenerateDataKey*"],"Resource":"*"}`
	)
	use := func(who, actions, condition string) string {
		return policyOf(root, fmt.Sprintf(`{"Effect":"Allow","Principal":%s,"Action":%s,"Resource":"*","Condition":{%s}}`, who, actions, condition))
	}
	allow := func(condition string) string {
		return use(byAlarms, `["kms:Decrypt","kms:GenerateDataKey*"]`, condition)
	}
	deny := func(condition string) string {
		return policyOf(root, service, fmt.Sprintf(`{"Effect":"Deny","Principal":"*","Action":"kms:*","Resource":"*","Condition":{%s}}`, condition))
	}
	for name, tt := range map[string]struct {
		policy string
		admits bool
	}{
		"SNS Developer Guide":                    {policyOf(root, service), true},
		"SNS Developer Guide, for one topic":     {allow(`"StringEquals":{"kms:EncryptionContext:aws:sns:topicArn":"` + someTopic + `"}`), true},
		"for topics by ARN":                      {allow(`"ArnLike":{"kms:EncryptionContext:aws:sns:topicArn":"arn:aws:sns:us-east-1:111122223333:*"}`), true},
		"for alarms of the account":              {allow(`"StringEquals":{"aws:SourceAccount":"111122223333"},"ArnLike":{"aws:SourceArn":"arn:aws:cloudwatch:us-east-1:111122223333:alarm:*"}`), true},
		"for what SNS encrypts":                  {allow(`"ForAllValues:StringEquals":{"kms:EncryptionContextKeys":"aws:sns:topicArn"}`), true},
		"all of KMS":                             {use(byAlarms, `"kms:*"`, ``), true},
		"all services":                           {use(everybody, `["kms:GenerateDataKey","kms:Decrypt"]`, `"Bool":{"aws:PrincipalIsAWSService":"true"}`), true},
		"with TLS":                               {deny(`"Bool":{"aws:SecureTransport":"false"}`), true},
		"but not for people outside":             {deny(`"StringNotEqualsIfExists":{"aws:PrincipalOrgID":"o-1"},"BoolIfExists":{"aws:PrincipalIsAWSService":"false"}`), true},
		"but not its deletion":                   {policyOf(root, service, `{"Effect":"Deny","Principal":"*","Action":["kms:ScheduleKeyDeletion","kms:DisableKey"],"Resource":"*"}`), true},
		"the default policy":                     {policyOf(root), false},
		"AWS's own key for SNS":                  {use(`{"AWS":"*"}`, `["kms:Decrypt","kms:GenerateDataKey*"]`, `"StringEquals":{"kms:ViaService":"sns.us-east-1.amazonaws.com","kms:CallerAccount":"111122223333"}`), false},
		"via SNS":                                {allow(`"StringEquals":{"kms:ViaService":"sns.us-east-1.amazonaws.com"}`), false},
		"via another service":                    {allow(`"StringEquals":{"kms:ViaService":"sqs.us-east-1.amazonaws.com"}`), false},
		"for log groups":                         {allow(`"ArnLike":{"kms:EncryptionContext:aws:logs:arn":"arn:aws:logs:us-east-1:111122223333:*"}`), false},
		"for another topic":                      {allow(`"StringEquals":{"kms:EncryptionContext:aws:sns:topicArn":"` + someTopic + `2"}`), false},
		"for a topic in another region":          {allow(`"StringLike":{"kms:EncryptionContext:aws:sns:topicArn":"arn:aws:sns:eu-west-1:*"}`), false},
		"for what another service encrypts":      {allow(`"ForAllValues:StringEquals":{"kms:EncryptionContextKeys":"aws:logs:arn"}`), false},
		"for another account":                    {allow(`"StringEquals":{"aws:SourceAccount":"444455556666"}`), false},
		"for another alarm":                      {allow(`"ArnEquals":{"aws:SourceArn":"arn:aws:cloudwatch:us-east-1:111122223333:alarm:checkout"}`), false},
		"for the topic as source":                {allow(`"ArnEquals":{"aws:SourceArn":"` + someTopic + `"}`), false},
		"for an owner":                           {allow(`"StringEquals":{"aws:SourceOwner":"111122223333"}`), false},
		"for the organisation's principals":      {allow(`"StringEquals":{"aws:PrincipalOrgID":"o-1"}`), false},
		"for an organisation that nobody read":   {allow(`"StringEquals":{"aws:SourceOrgID":"o-1"}`), false},
		"until a time":                           {allow(`"DateLessThan":{"aws:CurrentTime":"2020-01-01T00:00:00Z"}`), false},
		"by a grant":                             {use(byAlarms, `["kms:CreateGrant"]`, `"Bool":{"kms:GrantIsForAWSResource":"true"}`), false},
		"SNS instead of CloudWatch":              {use(`{"Service":"sns.amazonaws.com"}`, `["kms:Decrypt","kms:GenerateDataKey*"]`, ``), false},
		"without plain text":                     {use(byAlarms, `["kms:Decrypt","kms:GenerateDataKeyWithoutPlaintext"]`, ``), false},
		"to encrypt":                             {use(byAlarms, `["kms:Encrypt","kms:GenerateDataKey*"]`, ``), false},
		"another key":                            {policyOf(root, `{"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"arn:aws:kms:us-east-1:111122223333:key/other"}`), false},
		"not via SNS, denied":                    {deny(`"StringNotEquals":{"kms:ViaService":"sns.us-east-1.amazonaws.com"}`), false},
		"other callers, denied":                  {deny(`"StringNotEquals":{"kms:CallerAccount":"111122223333"}`), false},
		"outsiders, denied":                      {deny(`"StringNotEquals":{"aws:PrincipalOrgID":"o-1"}`), false},
		"a topic, denied":                        {deny(`"StringLike":{"kms:EncryptionContext:aws:sns:topicArn":"*:alarms"}`), false},
		"what has another context, denied":       {deny(`"StringNotEquals":{"kms:EncryptionContext:aws:logs:arn":"x"}`), false},
		"everybody but the administrator":        {policyOf(root, service, `{"Effect":"Deny","NotPrincipal":{"AWS":"arn:aws:iam::111122223333:role/admin"},"Action":"kms:*","Resource":"*"}`), false},
		"not JSON":                               {`{"Statement":`, false},
		"nothing":                                {"", false},
		"data keys for CloudWatch, rest for SNS": {policyOf(root, `{"Effect":"Allow","Principal":{"Service":"cloudwatch.amazonaws.com"},"Action":"kms:GenerateDataKey*","Resource":"*"}`, `{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},"Action":"kms:Decrypt","Resource":"*"}`), false},
	} {
		if why := plan.AdmitsToKey(tt.policy, key, someTopic, "root"); (why == "") != tt.admits {
			t.Errorf("%s: %q, want admitted: %t", name, why, tt.admits)
		}
	}
}
