package lab

// An Outcome says what relight does about an attack.
type Outcome string

// The outcomes.
const (
	Restored     Outcome = "restored"      // relight undoes it, and reports who did it
	OnlyReported Outcome = "only reported" // only a person can or should undo it
	Neither      Outcome = "neither"       // relight does not see it
)

// Outcome returns what relight does about the attack.
func (at Attack) Outcome() Outcome {
	if at.Reported {
		return OnlyReported
	}
	return Restored
}

// A Limit is an attack on what relight protects that relight neither undoes nor
// reports, or that it sees only by what the attack leaves behind.
type Limit struct {
	Attack    string // the call and its variant, as of an Attack
	Technique string // ID in MITRE ATT&CK
	Why       string // why relight does not see the call
	Left      string // what a sweep may find afterwards; "" for nothing
}

// Limits returns the attacks that are beyond relight. The demo does not make them.
func Limits() []Limit {
	return []Limit{
		{
			"cloudwatch PutMetricData, values for the metric of an alarm", disableTools,
			"CloudTrail records the call as a data event only, so no event of it arrives.",
			"An alarm that is in ALARM for a day, or for more than one of two days.",
		},
		{
			"logs PutLogEvents, forged records in the trail's log group", changeData,
			"CloudTrail records the call as a data event only, and filters cannot tell such records from CloudTrail's own. The trail's bucket has only CloudTrail's own.",
			"",
		},
		{
			"s3 DeleteObject, log files of the trail or of flow logs", destroyData,
			"CloudTrail records the call as a data event only. Log file validation shows a missing file of the trail: aws cloudtrail validate-logs.",
			"",
		},
		{
			"sqs ReceiveMessage and DeleteMessage, on a subscribed queue", disableTools,
			"Whoever may read the queue is its owner's decision, and CloudTrail records the calls as data events only.",
			"",
		},
		{
			"lambda PutFunctionConcurrency, zero for a subscribed function", disableTools,
			"What a subscriber does with a message is its owner's. The other way out of relight's messages does not depend on it.",
			"",
		},
		{
			"logs StartQuery, or s3 GetObject, to read the records", readData,
			"Reading weakens no protection. Who may read is the policies' decision.",
			"",
		},
	}
}
