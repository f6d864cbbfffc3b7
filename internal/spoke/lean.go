package spoke

import "github.com/relight-aws/relight/internal/catalog"

// delivery adds the role with which relight's flow logs of every region deliver. It is the
// same as the one of the hub's stack, which the function of the delivery roles restores,
// and it outlives the stack, as the flow logs do.
func (t template) delivery() {
	keep(t.add("DeliveryRole", "AWS::IAM::Role", makesRole, t.bounded(object{
		"RoleName":    t.Name(catalog.SpokeDelivery),
		"Description": catalog.DeliveryDescription(t.FlowLogs.LogGroup),
		"AssumeRolePolicyDocument": document(object{
			"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": object{"Service": catalog.FlowLogService},
			"Condition": t.when(catalog.DeliveryTrust()),
		}),
		"Policies": []any{object{"PolicyName": catalog.DeliveryPolicy, "PolicyDocument": document(t.statements(catalog.DeliveryGrants())...)}},
		"Tags":     t.tags(),
	})))
}

// The logical IDs of the topic and its key.
const (
	topicID = "Topic"
	keyID   = "TopicKey"
)

// topic adds the topic of the alarms of an account that owns a trail, with its key: alarms
// notify only topics of their own account that admit them, and publish to an encrypted one
// only with a key of the customer's. Both outlive the stack, as the alarms do. The key has
// an alias, by which the hub finds it.
func (t template) topic() {
	use := t.statements([]catalog.Grant{catalog.TopicKeyGrant})[0].(object)
	use["Principal"] = object{"Service": catalog.AlarmService}
	keep(t.add(keyID, "AWS::KMS::Key", makesTopic, object{
		"Description":       catalog.KeyDescription(t.Name(catalog.SpokeRole)),
		"EnableKeyRotation": true,
		"KeyPolicy": document(
			object{"Effect": "Allow", "Action": "kms:*", "Principal": object{"AWS": sub("arn:" + partition + ":iam::" + account + ":root")}, "Resource": "*"},
			use,
		),
		"Tags": t.tags(),
	}))
	keep(t.add(keyID+"Alias", "AWS::KMS::Alias", makesTopic, object{"AliasName": "alias/" + t.Name(catalog.SpokeAlarms), "TargetKeyId": ref(keyID)}))

	topic := object{"TopicName": t.Name(catalog.SpokeAlarms), "KmsMasterKeyId": attribute(keyID, "Arn"), "Tags": t.tags()}
	var subscriptions []any
	for _, s := range t.Subscribers {
		subscriptions = append(subscriptions, object{"Protocol": s.Protocol, "Endpoint": s.Endpoint})
	}
	if subscriptions != nil {
		topic["Subscription"] = subscriptions
	}
	keep(t.add(topicID, "AWS::SNS::Topic", makesTopic, topic))
	var statements []any
	for _, from := range catalog.TopicPolicy {
		st := object{"Sid": from.Sid, "Effect": from.Effect, "Action": from.Actions, "Principal": object{"AWS": "*"}, "Resource": ref(topicID)}
		if from.Service != "" {
			st["Principal"] = object{"Service": from.Service}
		}
		st["Condition"] = t.when(from.Condition)
		statements = append(statements, st)
	}
	keep(t.add(topicID+"Policy", "AWS::SNS::TopicPolicy", makesTopic, object{"Topics": []any{ref(topicID)}, "PolicyDocument": document(statements...)}))
}

// topicKey returns the ARN of the key of the topic, the one that the stack makes or the
// one that an earlier stack left.
func (t template) topicKey() object {
	return either(makesTopic, attribute(keyID, "Arn"), ref(paramKey))
}
