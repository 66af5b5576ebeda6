package fields

// agents are the identities of software agents, of which Graph tells beside the
// service principals
// (learn.microsoft.com/graph/api/resources/conditionalaccessclientapplications):
//
//	reached.<list>.every_agent   true if none of them is spared any more and some was
var agents = reached{
	"every_agent", every, false, ofWorkloads,
	newMembers("clientApplications.", "excludeAgentIdServicePrincipals", "includeAgentIdServicePrincipals"),
}
