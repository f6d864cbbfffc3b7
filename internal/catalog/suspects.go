package catalog

// suspects are the calls that a sweep asks CloudTrail's event history for, the most likely one
// first, by the kind of what it restored without an event. All of them are watched.
var suspects = map[Kind][]string{
	FlowLogs:      {"DeleteFlowLogs", "CreateVpc"},
	LogGroups:     {"DeleteMetricFilter", "DeleteLogGroup", "PutMetricFilter"},
	Alarms:        {"DeleteAlarms", "DisableAlarmActions", "PutMetricAlarm"},
	Trails:        {"StopLogging", "UpdateTrail", "DeleteTrail", "PutEventSelectors"},
	Topics:        {"SetTopicAttributes", "Unsubscribe", "DeleteTopic"},
	DeliveryRoles: {"DeleteRole", "DeleteRolePolicy", "PutRolePolicy", "UpdateAssumeRolePolicy"},
	Guard:         {"DisableRule", "DeleteRule", "RemoveTargets", "PutRule"},
}

// Suspects returns the names of the calls that most likely undid a protection of a kind.
func Suspects(k Kind) []string { return suspects[k] }
