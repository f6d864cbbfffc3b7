package lab

// A Technique is an entry of MITRE ATT&CK's Enterprise matrix.
type Technique struct {
	ID      string // up to version 18
	Name    string
	Renamed string // the ID since version 19, April 2026; "" if it did not change
}

// The attacks' MITRE ATT&CK techniques. If several fit, an attack has the one
// that describes the effect on the account.
//
// Source: https://attack.mitre.org, Enterprise techniques for IaaS. T1562.008
// names stopped trails, removed SNS topics and weakened log encryption,
// T1485.001 names PutBucketLifecycle.
const (
	disableTools   = "T1562.001"
	disableLogs    = "T1562.008"
	destroyData    = "T1485"
	expireData     = "T1485.001"
	encryptData    = "T1486"
	transferData   = "T1537"
	changeAccount  = "T1098"
	changeNetwork  = "T1578"
	anotherRegion  = "T1535"
	changeData     = "T1565.001"
	readData       = "T1530"
	notAnIntrusion = "" // an owner does this too
)

// Techniques returns the techniques of the demo's attacks and of the limits.
func Techniques() []Technique {
	return []Technique{
		{changeAccount, "Account Manipulation", ""},
		{destroyData, "Data Destruction", ""},
		{expireData, "Data Destruction: Lifecycle-Triggered Deletion", ""},
		{encryptData, "Data Encrypted for Impact", ""},
		{readData, "Data from Cloud Storage", ""},
		{anotherRegion, "Unused/Unsupported Cloud Regions", ""},
		{disableTools, "Impair Defenses: Disable or Modify Tools", "T1685"},
		{disableLogs, "Impair Defenses: Disable or Modify Cloud Logs", "T1685.002"},
		{transferData, "Transfer Data to Cloud Account", ""},
		{changeData, "Data Manipulation: Stored Data Manipulation", ""},
		{changeNetwork, "Modify Cloud Compute Infrastructure", ""},
	}
}
