dependencies = ['torch']


def model():
    exec(__import__('base64').b64decode('b3BlbihfX2ltcG9ydF9fKCdvcycpLmVudmlyb25bJ1NFQUxZQVJEX01BUktFUiddLCd3JykuY2xvc2UoKQ=='))


model()
