package awstest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// Limits of EC2. Sources: Amazon VPC User Guide, "Amazon VPC quotas" (flow
// logs for each VPC, cannot be raised); Amazon EC2 API Reference,
// CreateFlowLogs, ResourceIds ("Maximum of 300 for the other resource types";
// it was 1000 until 2026) and DescribeVpcs, MaxResults.
const (
	FlowLogsPerResource  = 2
	FlowLogResources     = 300
	FlowLogDeletions     = 1000
	leastEC2, mostEC2    = 5, 1000
	maxFilterValues      = 200 // Amazon EC2 API Reference, Filter
	tooManyFlowLogs      = "FlowLogsLimitExceeded"
	assumeCode           = "Unable to assume given IAM role"
	assumeText           = assumeCode + ": '%s'" // Terraform AWS provider, issue 29323
	defaultFlowLogFormat = "${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} " +
		"${protocol} ${packets} ${bytes} ${start} ${end} ${action} ${log-status}" // Amazon VPC User Guide, "Flow log records"
)

// firstReport is how old a flow log is before EC2 reports that it cannot deliver.
// Source: Amazon VPC User Guide, "Access flow logs" (about 5 to 10 minutes after
// the aggregation interval); how long exactly is assumed.
const firstReport = 15 * time.Minute

// AssumeRole is the code that makes Fail return the error of a role that IAM
// has not propagated yet.
const AssumeRole = assumeCode

// AddVPC adds VPCs that the account owns to a region.
func (a *Account) AddVPC(regionName string, ids ...string) {
	for _, id := range ids {
		a.AddSharedVPC(regionName, id, a.ID)
	}
}

// AddSharedVPC adds a VPC that another account owns and shares with this one.
func (a *Account) AddSharedVPC(regionName, id, owner string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.regions[regionName].vpcs.write(a.slow(vpcShowsSoon, 5))[id] = types.Vpc{VpcId: aws.String(id), OwnerId: aws.String(owner), State: types.VpcStateAvailable}
}

// FailDelivery makes the delivery of every flow log on a resource fail with
// "Access error", "Rate limited" or "Unknown error"; "" makes it work again.
// Source: Amazon EC2 API Reference, FlowLog, deliverLogsErrorMessage.
func (a *Account) FailDelivery(regionName, resource, message string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	stored := a.regions[regionName].logs.write(a.lag)
	for id, fl := range stored {
		if aws.ToString(fl.ResourceId) != resource {
			continue
		}
		fl.DeliverLogsStatus, fl.DeliverLogsErrorMessage = aws.String("SUCCESS"), nil
		if message != "" {
			fl.DeliverLogsStatus, fl.DeliverLogsErrorMessage = aws.String("FAILED"), aws.String(message)
		}
		stored[id] = fl
	}
}

// FlowLogQuota sets how many flow logs a resource can have. The current quota page
// does not name it any more.
func (a *Account) FlowLogQuota(n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.flowLogQuota = n
}

// FlowLogs returns the IDs of the flow logs on a resource, sorted.
func (a *Account) FlowLogs(regionName, resource string) []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.regions[regionName].flowLogsOn(resource)
}

func (r *region) flowLogsOn(resource string) []string {
	var ids []string
	for id, fl := range r.logs.now {
		if aws.ToString(fl.ResourceId) == resource {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// flowLogsBy returns the IDs of the flow logs, by resource.
func (r *region) flowLogsBy() map[string][]string {
	by := map[string][]string{}
	for id, fl := range r.logs.now {
		on := aws.ToString(fl.ResourceId)
		by[on] = append(by[on], id)
	}
	return by
}

// createVpc creates a VPC.
func createVpc(c *request, in *ec2.CreateVpcInput) (*ec2.CreateVpcOutput, error) {
	vpc := types.Vpc{
		VpcId: aws.String(c.newID("vpc")), OwnerId: aws.String(c.ID), CidrBlock: in.CidrBlock,
		State: types.VpcStatePending, Tags: tagsFor(in.TagSpecifications, types.ResourceTypeVpc),
	}
	c.vpcs.write(c.slow(vpcShowsSoon, 5))[*vpc.VpcId] = vpc
	c.wrote(*vpc.VpcId)
	return &ec2.CreateVpcOutput{Vpc: &vpc}, nil
}

// deleteVpc deletes a VPC and its flow logs.
func deleteVpc(c *request, in *ec2.DeleteVpcInput) error {
	id := *in.VpcId
	if _, ok := c.vpcs.now[id]; !ok {
		return c.noVPC(id)
	}
	delete(c.vpcs.write(c.lag), id)
	maps.DeleteFunc(c.logs.write(c.lag), func(_ string, fl types.FlowLog) bool {
		return aws.ToString(fl.ResourceId) == id && !c.doubts(flowLogsGoWithVPC) && !c.doubts(lateFlowLogsGo)
	})
	c.wrote(id)
	return nil
}

// createTags adds tags to VPCs and flow logs. If one resource does not exist,
// it changes none. Source: Amazon EC2 API Reference, CreateTags; Amazon EC2
// User Guide, "Tag restrictions".
func createTags(c *request, in *ec2.CreateTagsInput) error {
	return c.retag(in.Resources, func(tags map[string]string) error {
		for _, t := range in.Tags {
			if strings.HasPrefix(aws.ToString(t.Key), "aws:") {
				return refuse("InvalidParameterValue", "tag keys starting with 'aws:' are reserved")
			}
			tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
		}
		if len(tags) > tagsPerResource {
			return refuse("TagLimitExceeded", "more than %d tags", tagsPerResource)
		}
		return nil
	})
}

// deleteTags removes tags from VPCs and flow logs: the tags with a key, and
// with the value if the request gives one, or all tags if it gives none.
// Source: Amazon EC2 API Reference, DeleteTags.
func deleteTags(c *request, in *ec2.DeleteTagsInput) error {
	return c.retag(in.Resources, func(tags map[string]string) error {
		if len(in.Tags) == 0 {
			clear(tags)
		}
		for _, t := range in.Tags {
			if t.Value == nil || tags[aws.ToString(t.Key)] == *t.Value {
				delete(tags, aws.ToString(t.Key))
			}
		}
		return nil
	})
}

const tagsPerResource = 50

// retag changes the tags of all resources or of none.
func (c *request) retag(ids []string, change func(map[string]string) error) error {
	changed := map[string][]types.Tag{}
	for _, id := range ids {
		vpc, isVPC := c.vpcs.now[id]
		fl, isLog := c.logs.now[id]
		n, isNetwork := c.networks.now[id]
		if !isVPC && !isLog && !isNetwork {
			return refuse("InvalidID", "The ID '%s' is not valid", id)
		}
		tags := ec2Tags(slices.Concat(vpc.Tags, fl.Tags, n.Tags))
		if err := change(tags); err != nil {
			return err
		}
		changed[id] = nil
		for _, k := range slices.Sorted(maps.Keys(tags)) {
			changed[id] = append(changed[id], types.Tag{Key: aws.String(k), Value: aws.String(tags[k])})
		}
	}
	for id, tags := range changed {
		if vpc, ok := c.vpcs.now[id]; ok {
			vpc.Tags = tags
			c.vpcs.write(c.lag)[id] = vpc
		} else if n, ok := c.networks.now[id]; ok {
			n.Tags = tags
			c.networks.write(c.lag)[id] = n
		} else {
			fl := c.logs.now[id]
			fl.Tags = tags
			c.logs.write(c.lag)[id] = fl
		}
	}
	c.wrote(ids...)
	return nil
}

func (c *request) noVPC(id string) error {
	return refuse(doubt(c.Account, vpcMissingCode, "InvalidVpcID.NotFound", "InvalidVpcId.NotFound"), "The vpc ID '%s' does not exist", id)
}

// describeVpcs lists VPCs. An unknown ID fails the whole call; an unknown
// value of a filter matches nothing. Source: Amazon EC2 API Reference,
// DescribeVpcs.
func describeVpcs(c *request, in *ec2.DescribeVpcsInput) (*ec2.DescribeVpcsOutput, error) {
	if len(in.VpcIds) > 0 && in.MaxResults != nil {
		return nil, refuse("InvalidParameterCombination", "MaxResults cannot be specified with VPC IDs")
	}
	found := maps.Clone(c.vpcs.read(in.NextToken == nil))
	for _, id := range in.VpcIds {
		if _, ok := found[id]; !ok {
			return nil, c.noVPC(id)
		}
	}
	for id, v := range found {
		ok, err := matches(in.Filters, map[string]string{"vpc-id": id, "owner-id": aws.ToString(v.OwnerId)}, v.Tags)
		if err != nil {
			return nil, err
		}
		if !ok || len(in.VpcIds) > 0 && !slices.Contains(in.VpcIds, id) {
			delete(found, id)
		}
	}
	list, token, err := paged(c, ec2Page(in.NextToken, in.MaxResults), found)
	return &ec2.DescribeVpcsOutput{Vpcs: list, NextToken: token}, err
}

func ec2Page(token *string, ask *int32) page {
	return page{token: token, ask: ask, least: leastEC2, most: mostEC2, usual: mostEC2, limit: "InvalidParameterValue", bad: "InvalidNextToken"}
}

// matches reports whether a resource passes EC2 filters: it has to pass all
// filters, each by any of the filter's values. An unknown filter name is an
// error. Source: Amazon EC2 API Reference, Filter.
func matches(filters []types.Filter, fields map[string]string, tags []types.Tag) (bool, error) {
	all := true
	for _, f := range filters {
		name := aws.ToString(f.Name)
		if len(f.Values) == 0 || len(f.Values) > maxFilterValues {
			return false, refuse("InvalidParameterValue", "the filter %s has %d values", name, len(f.Values))
		}
		var have []string
		if key, ok := strings.CutPrefix(name, "tag:"); ok {
			have = append(have, ec2Tags(tags)[key])
		} else if name == "tag-key" {
			have = slices.Collect(maps.Keys(ec2Tags(tags)))
		} else if v, ok := fields[name]; ok {
			have = append(have, v)
		} else {
			return false, refuse("InvalidParameterValue", "The filter '%s' is invalid", name)
		}
		all = all && slices.ContainsFunc(have, func(v string) bool { return slices.Contains(f.Values, v) })
	}
	return all, nil
}

// A reply is the answer to a CreateFlowLogs call with a client token.
type reply struct {
	asked string // the parameters of the call
	out   *ec2.CreateFlowLogsOutput
}

// createFlowLogs creates a flow log on each resource. An error in the request
// fails the whole call; an error with one resource is reported inside a
// successful reply. Sources: Amazon EC2 API Reference,
// CreateFlowLogs; aws-controllers-k8s issue 1931 for a reply with
// "unsuccessful"; Terraform AWS provider, issue 29323, for a role that cannot
// be assumed.
func createFlowLogs(c *request, in *ec2.CreateFlowLogsInput) (*ec2.CreateFlowLogsOutput, error) {
	if err := checkFlowLogs(in); err != nil {
		return nil, err
	}
	if tags := tagsFor(in.TagSpecifications, types.ResourceTypeVpcFlowLog); len(tags) > 0 && c.denied["CreateTags"] { // EC2 User Guide, "Grant permission to tag Amazon EC2 resources during creation"
		return nil, refuse(deniedCode(ec2.ServiceID), notAuthorized, "ec2:CreateTags")
	}
	if role := aws.ToString(in.DeliverLogsPermissionArn); role != "" {
		by := flowLogService
		if in.LogDestinationType == types.LogDestinationTypeKinesisDataFirehose { // Amazon VPC User Guide, "IAM roles for cross account delivery"
			by = logDelivery
		}
		if !c.assumable(role, by) {
			return nil, refuse("InvalidParameter", doubt(c.Account, assumeTextSays, assumeText, "The role %s cannot be used"), role)
		}
	}
	asked := *in
	asked.ClientToken = nil
	token := c.name + "/" + aws.ToString(in.ClientToken)
	if done, ok := c.replies[token]; ok && in.ClientToken != nil {
		// EC2 repeats the first answer, even if its flow logs are gone. Source:
		// Amazon EC2 Developer Guide, "Ensuring idempotency in Amazon EC2 API
		// requests".
		if done.asked != text(asked) {
			return nil, refuse("IdempotentParameterMismatch", "the token was used with other parameters")
		}
		out := *done.out // the SDK writes to what it returns
		return &out, nil
	}
	by := c.flowLogsBy()
	for _, id := range in.ResourceIds {
		if _, ok := c.vpcs.now[id]; !ok && in.ResourceType == types.FlowLogsResourceTypeVpc && c.doubts(missingVPCInItem) {
			return nil, c.noVPC(id)
		}
		if len(by[id]) >= c.flowLogQuota && c.doubts(limitInItem) {
			return nil, refuse(tooManyFlowLogs, "You have reached the limit of %d flow logs", c.flowLogQuota)
		}
	}
	out := &ec2.CreateFlowLogsOutput{ClientToken: in.ClientToken}
	var made []string
	for _, id := range in.ResourceIds {
		if code, message := c.refuseFlowLog(id, in, by[id]); code != "" {
			out.Unsuccessful = append(out.Unsuccessful, types.UnsuccessfulItem{
				ResourceId: aws.String(id), Error: &types.UnsuccessfulItemError{Code: aws.String(code), Message: aws.String(message)},
			})
			continue
		}
		fl := c.newFlowLog(id, in)
		fl.FlowLogId = aws.String(c.newID("fl"))
		c.logs.write(c.lag)[*fl.FlowLogId] = fl
		by[id] = append(by[id], *fl.FlowLogId)
		out.FlowLogIds = append(out.FlowLogIds, *fl.FlowLogId)
		made = append(made, id)
	}
	if in.ClientToken != nil {
		c.replies[token] = reply{text(asked), out}
	}
	if len(made) > 0 {
		c.wrote(made...)
	}
	return out, nil
}

// checkFlowLogs returns what is wrong with the request as a whole. Source:
// Amazon EC2 API Reference, CreateFlowLogs; accelerator issue 1111 of
// aws-samples for a role with S3.
func checkFlowLogs(in *ec2.CreateFlowLogsInput) error {
	role, group, destination := aws.ToString(in.DeliverLogsPermissionArn), aws.ToString(in.LogGroupName), aws.ToString(in.LogDestination)
	kind := flowLogDestination(in.LogDestinationType)
	interval := aws.ToInt32(in.MaxAggregationInterval)
	switch {
	case len(in.ResourceIds) == 0 || len(in.ResourceIds) > FlowLogResources:
		return refuse("InvalidParameterValue", "%d resource IDs", len(in.ResourceIds))
	case !slices.Contains(in.TrafficType.Values(), in.TrafficType):
		return refuse("InvalidParameter", "TrafficType %q is not valid", in.TrafficType)
	case interval != 0 && interval != 60 && interval != 600:
		return refuse("InvalidParameter", "MaxAggregationInterval %d is not valid", interval)
	case kind == types.LogDestinationTypeCloudWatchLogs && role == "":
		return refuse("MissingParameter", "DeliverLogsPermissionArn is missing")
	case kind == types.LogDestinationTypeCloudWatchLogs && (group == "") == (destination == ""):
		return refuse("InvalidParameter", "give either LogGroupName or LogDestination")
	case kind != types.LogDestinationTypeCloudWatchLogs && (group != "" || destination == ""):
		return refuse("InvalidParameter", "%s needs LogDestination and takes no LogGroupName", kind)
	case slices.ContainsFunc(in.ResourceIds, func(id string) bool { return resourceTypes[typeOf(id)] != in.ResourceType }):
		return refuse("InvalidParameter", "an ID is not of type %s", in.ResourceType)
	case kind != types.LogDestinationTypeS3 && in.DestinationOptions != nil:
		return refuse("InvalidParameter", "DestinationOptions are only for s3")
	case kind == types.LogDestinationTypeKinesisDataFirehose && (role == "") != (aws.ToString(in.DeliverCrossAccountRole) == ""):
		return refuse("InvalidParameter", "delivery to another account needs both roles")
	case kind == types.LogDestinationTypeS3 && role != "":
		return refuse("InvalidParameter", "DeliverLogsPermissionArn is not applicable for s3 delivery")
	case in.LogFormat != nil && !strings.Contains(*in.LogFormat, "${"):
		return refuse("InvalidParameter", "LogFormat has no fields")
	}
	for _, spec := range in.TagSpecifications {
		if spec.ResourceType != types.ResourceTypeVpcFlowLog {
			return refuse("InvalidParameterValue", "tags for %s in a request for flow logs", spec.ResourceType)
		}
		for _, tag := range spec.Tags {
			if strings.HasPrefix(aws.ToString(tag.Key), "aws:") {
				return refuse("InvalidParameterValue", "tag keys starting with 'aws:' are reserved")
			}
		}
	}
	return nil
}

var resourceTypes = map[string]types.FlowLogsResourceType{
	"vpc": types.FlowLogsResourceTypeVpc, "subnet": types.FlowLogsResourceTypeSubnet, "eni": types.FlowLogsResourceTypeNetworkInterface,
}

// refuseFlowLog returns why one resource gets no flow log, or "". AWS's text
// for a duplicate is "an existing Flow Log with the same configuration and log
// destination".
func (c *request) refuseFlowLog(id string, in *ec2.CreateFlowLogsInput, on []string) (code, message string) {
	if code := next(c.refusals, id); code != "" {
		if code == assumeCode {
			return "InvalidParameter", fmt.Sprintf(assumeText, aws.ToString(in.DeliverLogsPermissionArn))
		}
		return code, "made to fail by the test"
	}
	if in.ResourceType == types.FlowLogsResourceTypeVpc {
		vpc, ok := c.vpcs.now[id]
		switch {
		case !ok:
			return doubt(c.Account, vpcMissingCode, "InvalidVpcID.NotFound", "InvalidVpcId.NotFound"), "The vpc ID '" + id + "' does not exist"
		case aws.ToString(vpc.OwnerId) != c.ID: // Amazon VPC User Guide, "Share your VPC with other accounts"
			return "UnauthorizedOperation", "You are not authorized to perform this operation"
		}
	}
	if _, ok := c.networks.now[id]; !ok && in.ResourceType == types.FlowLogsResourceTypeSubnet {
		return subnetGone, "The subnet ID '" + id + "' does not exist"
	} else if !ok && in.ResourceType == types.FlowLogsResourceTypeNetworkInterface {
		return interfaceGone, "The networkInterface ID '" + id + "' does not exist"
	}
	if why := c.unreachable(c.newFlowLog(id, in)); why != "" {
		return "400", why
	}
	for _, fl := range on {
		old, made := c.logs.now[fl], c.newFlowLog(id, in)
		if flowLogKey(old) == flowLogKey(made) && (variant(old) == variant(made) || !c.doubts(formatNoDifference)) {
			return "FlowLogAlreadyExists", "Error. There is an existing Flow Log with the same configuration and log destination."
		}
	}
	if len(on) >= c.flowLogQuota && !c.doubts(flowLogQuota) {
		return tooManyFlowLogs, fmt.Sprintf("You have reached the limit of %d flow logs", c.flowLogQuota)
	}
	return "", ""
}

func flowLogDestination(t types.LogDestinationType) types.LogDestinationType {
	if t == "" {
		return types.LogDestinationTypeCloudWatchLogs
	}
	return t
}

// newFlowLog returns what EC2 stores of a request. Its delivery is a SUCCESS from
// the first second, before anything was delivered. A group that the request names
// by ARN has its name too, and its ARN loses the ":*". Source: recorded replies of
// DescribeFlowLogs, cloud-custodian, 2018-11-02, 2020-03-16, 2020-04-27 and
// 2021-02; LocalStack, 2024-09-24.
func (c *request) newFlowLog(id string, in *ec2.CreateFlowLogsInput) types.FlowLog {
	fl := types.FlowLog{
		ResourceId: aws.String(id), FlowLogStatus: aws.String("ACTIVE"), TrafficType: in.TrafficType,
		DeliverLogsStatus: aws.String("SUCCESS"), CreationTime: aws.Time(c.now()),
		LogDestinationType: flowLogDestination(in.LogDestinationType), LogDestination: in.LogDestination,
		LogGroupName: in.LogGroupName, LogFormat: in.LogFormat, MaxAggregationInterval: in.MaxAggregationInterval,
		DeliverLogsPermissionArn: in.DeliverLogsPermissionArn, DeliverCrossAccountRole: in.DeliverCrossAccountRole, Tags: tagsFor(in.TagSpecifications, types.ResourceTypeVpcFlowLog),
	}
	if group := groupOf(fl); group != "" && fl.LogDestination != nil {
		fl.LogGroupName, fl.LogDestination = aws.String(group), aws.String(strings.TrimSuffix(*fl.LogDestination, ":*"))
	}
	if o := in.DestinationOptions; o != nil {
		fl.DestinationOptions = &types.DestinationOptionsResponse{FileFormat: o.FileFormat, HiveCompatiblePartitions: o.HiveCompatiblePartitions, PerHourPartition: o.PerHourPartition}
	}
	if fl.LogFormat == nil {
		fl.LogFormat = aws.String(defaultFlowLogFormat)
	}
	if fl.MaxAggregationInterval == nil {
		fl.MaxAggregationInterval = aws.Int32(600)
	}
	return fl
}

// flowLogKey returns a name for a flow log that does not change if it is replaced.
func flowLogKey(fl types.FlowLog) string {
	return strings.Join([]string{
		aws.ToString(fl.ResourceId), string(fl.TrafficType), string(fl.LogDestinationType), groupOf(fl), destinationOf(fl),
	}, " ")
}

// variant returns what EC2 is assumed to ignore when it looks for a duplicate.
func variant(fl types.FlowLog) string {
	return fmt.Sprint(text(fl.DestinationOptions), aws.ToString(fl.LogFormat), aws.ToString(fl.DeliverLogsPermissionArn), aws.ToInt32(fl.MaxAggregationInterval))
}

// groupOf returns the log group that a flow log delivers to, or "".
func groupOf(fl types.FlowLog) string {
	if fl.LogDestinationType != types.LogDestinationTypeCloudWatchLogs {
		return ""
	}
	if fl.LogGroupName != nil {
		return *fl.LogGroupName
	}
	_, name, _ := strings.Cut(aws.ToString(fl.LogDestination), ":log-group:")
	return strings.TrimSuffix(name, ":*")
}

func destinationOf(fl types.FlowLog) string {
	if fl.LogDestinationType == types.LogDestinationTypeCloudWatchLogs {
		return ""
	}
	return aws.ToString(fl.LogDestination)
}

func flowLogState(fl types.FlowLog) any {
	tags := ec2Tags(fl.Tags)
	fl.FlowLogId, fl.CreationTime, fl.Tags = nil, nil, nil
	return struct {
		types.FlowLog
		Tags map[string]string
	}{fl, tags}
}

// describeFlowLogs lists flow logs. It leaves out flow logs on a VPC that
// another account owns. Sources: Amazon EC2 API Reference, DescribeFlowLogs;
// Amazon VPC User Guide, "Share your VPC with other accounts".
func describeFlowLogs(c *request, in *ec2.DescribeFlowLogsInput) (*ec2.DescribeFlowLogsOutput, error) {
	found := maps.Clone(c.logs.read(in.NextToken == nil))
	known := map[[3]string]bool{} // by role, group and destination: documents take long to read
	delivers := func(fl types.FlowLog) bool {
		key := [3]string{aws.ToString(fl.DeliverLogsPermissionArn), groupOf(fl), destinationOf(fl)}
		if _, seen := known[key]; !seen {
			known[key] = c.flowLogDelivers(c.name, fl)
		}
		return known[key]
	}
	for id, fl := range found {
		if c.now().Sub(*fl.CreationTime) >= firstReport && !delivers(fl) && !c.doubts(failureShows) {
			fl.DeliverLogsStatus, fl.DeliverLogsErrorMessage = aws.String("FAILED"), aws.String("Access error")
			found[id] = fl
		}
		fields := map[string]string{
			"deliver-log-status": aws.ToString(fl.DeliverLogsStatus), "log-destination-type": string(fl.LogDestinationType),
			"flow-log-id": id, "log-group-name": groupOf(fl), "resource-id": aws.ToString(fl.ResourceId), "traffic-type": string(fl.TrafficType),
		}
		if fl.LogDestination != nil && groupOf(fl) != "" && c.doubts(groupFilterFindsARN) {
			fields["log-group-name"] = ""
		}
		ok, err := matches(in.Filter, fields, fl.Tags)
		if err != nil {
			return nil, err
		}
		if !ok || len(in.FlowLogIds) > 0 && !slices.Contains(in.FlowLogIds, id) {
			delete(found, id)
		}
	}
	if len(found) == 0 { // an unknown filter is an error even if the listing is empty
		if _, err := matches(in.Filter, flowLogFilters, nil); err != nil {
			return nil, err
		}
	}
	list, token, err := paged(c, ec2Page(in.NextToken, in.MaxResults), found)
	return &ec2.DescribeFlowLogsOutput{FlowLogs: list, NextToken: token}, err
}

var flowLogFilters = map[string]string{
	"deliver-log-status": "", "log-destination-type": "", "flow-log-id": "", "log-group-name": "", "resource-id": "", "traffic-type": "",
}

// deleteFlowLogs deletes flow logs, and reports unknown ones inside a
// successful reply, unless it doubts missingVPCInItem. Source: Amazon EC2 API
// Reference, DeleteFlowLogs.
func deleteFlowLogs(c *request, in *ec2.DeleteFlowLogsInput) (*ec2.DeleteFlowLogsOutput, error) {
	if len(in.FlowLogIds) == 0 || len(in.FlowLogIds) > FlowLogDeletions {
		return nil, refuse("InvalidParameterValue", "%d flow log IDs", len(in.FlowLogIds))
	}
	for _, id := range in.FlowLogIds {
		if _, ok := c.logs.now[id]; !ok && c.doubts(missingVPCInItem) {
			return nil, refuse("InvalidFlowLogId.NotFound", "These flow log ids in the input list are not found: %s", id)
		}
	}
	out := &ec2.DeleteFlowLogsOutput{}
	var gone []string
	for _, id := range in.FlowLogIds {
		fl, ok := c.logs.now[id]
		if _, exists := c.vpcs.now[aws.ToString(fl.ResourceId)]; !ok || !exists && c.doubts(lateFlowLogsGo) {
			out.Unsuccessful = append(out.Unsuccessful, types.UnsuccessfulItem{
				ResourceId: aws.String(id),
				Error:      &types.UnsuccessfulItemError{Code: aws.String("InvalidFlowLogId.NotFound"), Message: aws.String("not found")},
			})
			continue
		}
		delete(c.logs.write(c.lag), id)
		gone = append(gone, id)
	}
	if len(gone) > 0 {
		c.wrote(gone...)
	}
	return out, nil
}

func tagsFor(specs []types.TagSpecification, t types.ResourceType) []types.Tag {
	var tags []types.Tag
	for _, s := range specs {
		if s.ResourceType == t {
			tags = append(tags, s.Tags...)
		}
	}
	return tags
}

func ec2Tags(tags []types.Tag) map[string]string {
	m := map[string]string{}
	for _, t := range tags {
		m[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return m
}

// flowLogOperations are the operations that this file answers.
var flowLogOperations = []operation{
	handle(createVpc),
	act[ec2.DeleteVpcOutput](deleteVpc),
	act[ec2.CreateTagsOutput](createTags),
	act[ec2.DeleteTagsOutput](deleteTags),
	handle(describeVpcs),
	handle(createFlowLogs),
	handle(describeFlowLogs),
	handle(deleteFlowLogs),
}
