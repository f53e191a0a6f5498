exports.handler = async (event) => {
  if (event.triggerSource === "CustomMessage_AdminCreateUser") {
    event.response.emailSubject = "You are invited";
    event.response.emailMessage = `Your name is ${event.request.usernameParameter} and your password ${event.request.codeParameter}`;
  }
  return event;
};
